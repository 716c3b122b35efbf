/** `npm run -s openapi > openapi.json`: the API as an OpenAPI document, with the defaults of the configuration. */
import { openApi } from '../api/openapi.ts';
import { parseConfig } from '../core/config.ts';

console.log(JSON.stringify(openApi(parseConfig({ stores: [{ id: 'any', bucket: 'any' }] })), undefined, 2));
