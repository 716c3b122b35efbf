/** Types that a property definition may have. */
export const PROPERTY_TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'] as const;
