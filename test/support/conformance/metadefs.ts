import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Association, Child, ChildKind, Contents, Namespace } from '../../../core/metadefs/namespace.ts';
import type { CatalogLimits, MetadefRepository, NamespaceQuery } from '../../../core/metadefs/repository.ts';

export interface OpenMetadefs {
  readonly metadefs: MetadefRepository;
  close(): Promise<void>;
}

const AT = '2026-01-01T00:00:00.000Z';
const NO_LIMITS: CatalogLimits = { namespaces: -1, properties: -1, objects: -1, tags: -1, associations: -1, types: -1 };

const aChild = (name: string, definition: Child['definition'] = {}): Child => ({
  ...{ name, definition, createdAt: AT, updatedAt: AT },
});

const anAssociation = (resourceType: string): Association => ({
  ...{ resourceType, prefix: null, propertiesTarget: null, createdAt: AT, updatedAt: AT },
});

type Drafted = Partial<Namespace> & { readonly contents?: Partial<Contents> };

/** A public namespace of project `demo` and what it shall hold. */
function aNamespace(name: string, { contents = {}, ...more }: Drafted = {}): [Namespace, Contents] {
  const whole: Contents = { properties: [], objects: [], tags: [], ...contents };
  const id = more.id ?? `id-${name}`;
  const namespace: Namespace = {
    id,
    name,
    displayName: null,
    description: null,
    visibility: 'public',
    protected: false,
    owner: 'demo',
    associations: [],
    generations: { properties: id, objects: id, tags: id },
    counts: { properties: whole.properties.length, objects: whole.objects.length, tags: whole.tags.length },
    createdAt: AT,
    updatedAt: AT,
    revision: 0,
    ...more,
  };
  return [namespace, whole];
}

/** What every MetadefRepository does. `open` takes the limits that hold. */
export function metadefRepositorySuite(open: (limits: CatalogLimits) => Promise<OpenMetadefs>): void {
  let opened: OpenMetadefs | undefined;
  let metadefs: MetadefRepository;
  const start = async (limits: Partial<CatalogLimits>) => {
    await opened?.close();
    opened = await open({ ...NO_LIMITS, ...limits });
    metadefs = opened.metadefs;
  };
  beforeEach(() => start({}));
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
  });

  const made = async (name: string, more: Drafted = {}): Promise<Namespace> => {
    const [namespace, contents] = aNamespace(name, more);
    await metadefs.create(namespace, contents);
    return namespace;
  };
  const found = async (name: string): Promise<Namespace> => {
    const namespace = await metadefs.find(name);
    if (namespace === undefined) throw new Error(`${name} is missing`);
    return namespace;
  };
  const namesIn = async (namespace: Namespace, kind: ChildKind) =>
    (await metadefs.children(namespace, kind)).map(({ name }) => name);

  describe('namespaces', () => {
    test('come back as they were created, with everything in them', async () => {
      const contents = {
        properties: [aChild('b', { type: 'string' }), aChild('a')],
        objects: [aChild('o', { properties: { x: {} } })],
        tags: [aChild('t')],
      };
      const namespace = await made('n', { contents, associations: [anAssociation('OS::Glance::Image')], owner: null });

      expect(await metadefs.find('n')).toEqual(namespace);
      expect(await metadefs.findWhole('n')).toEqual({
        namespace,
        contents: { ...contents, properties: [aChild('a'), aChild('b', { type: 'string' })] },
      });
      expect(await metadefs.find('m')).toBeUndefined();
      expect(await metadefs.findWhole('m')).toBeUndefined();
    });

    test('have a name of their own', async () => {
      await made('n');

      await expect(made('n', { id: 'another' })).rejects.toMatchObject({
        kind: 'Conflict',
        message: 'The metadata definition namespace=n already exists.',
      });
    });

    test('are updated in their fields; a new name finds them, the old one is free', async () => {
      const before = await made('n', { contents: { tags: [aChild('t')] } });

      const fields = { ...before, name: 'm', description: 'd', visibility: 'private', protected: true } as const;
      const after = await metadefs.update(before, fields, '2026-02-02T00:00:00.000Z');

      expect(after).toEqual({ ...fields, updatedAt: '2026-02-02T00:00:00.000Z', revision: 1 });
      expect(await metadefs.find('m')).toEqual(after);
      expect(await metadefs.find('n')).toBeUndefined();
      expect(await namesIn(after, 'tags')).toEqual(['t']);
      await made('n', { id: 'another' });
    });

    test('do not take the name of another', async () => {
      const before = await made('n');
      await made('m');

      await expect(metadefs.update(before, { ...before, name: 'm' }, AT)).rejects.toMatchObject({ kind: 'Conflict' });
      expect(await metadefs.find('n')).toEqual(before);
    });

    test('go with what is in them; the name is free, resource types stay', async () => {
      const namespace = await made('n', { contents: { tags: [aChild('t')] }, associations: [anAssociation('T')] });

      await metadefs.delete(namespace);

      expect(await metadefs.find('n')).toBeUndefined();
      expect(await metadefs.children(namespace, 'tags')).toEqual([]);
      expect((await metadefs.resourceTypes()).map(({ name }) => name)).toEqual(['T']);
      await made('n');
    });

    test.each<[string, (stale: Namespace) => Promise<unknown>]>([
      ['updated', (stale) => metadefs.update(stale, { ...stale, description: 'late' }, AT)],
      ['deleted', (stale) => metadefs.delete(stale)],
      ['associated', (stale) => metadefs.associate(stale, anAssociation('T'))],
      ['dissociated', (stale) => metadefs.dissociate(stale, 'T')],
      ['given other children', (stale) => metadefs.replaceAll(stale, 'tags', [aChild('late')])],
    ])('that changed since they were read are not %s', async (_, write) => {
      const stale = await made('n');
      await metadefs.update(stale, { ...stale, description: 'first' }, AT);

      await expect(write(stale)).rejects.toMatchObject({
        kind: 'StaleRevision',
        message: 'Namespace n changed meanwhile',
      });

      expect(await metadefs.find('n')).toMatchObject({ description: 'first', revision: 1, associations: [] });
      expect(await namesIn(await found('n'), 'tags')).toEqual([]);
    });
  });

  describe('children', () => {
    test('are listed by name, one kind apart from the other', async () => {
      const namespace = await made('n', { contents: { tags: [aChild('b'), aChild('a')], objects: [aChild('a')] } });

      expect(await namesIn(namespace, 'tags')).toEqual(['a', 'b']);
      expect(await namesIn(namespace, 'objects')).toEqual(['a']);
      expect(await metadefs.child(namespace, 'tags', 'a')).toEqual(aChild('a'));
      expect(await metadefs.child(namespace, 'properties', 'a')).toBeUndefined();
    });

    test('are added once, counted, and raise the revision', async () => {
      const namespace = await made('n');
      await metadefs.addChild(namespace, 'properties', aChild('a', { type: 'string' }));

      await expect(metadefs.addChild(namespace, 'properties', aChild('a'))).rejects.toMatchObject({
        kind: 'Conflict',
        message: 'Metadata definition property a exists already in namespace=n.',
      });
      expect(await metadefs.find('n')).toEqual({
        ...{ ...namespace, revision: 1, counts: { properties: 1, objects: 0, tags: 0 } },
      });
      expect(await metadefs.child(namespace, 'properties', 'a')).toEqual(aChild('a', { type: 'string' }));
    });

    test('are replaced, and perhaps renamed, without being counted again', async () => {
      const namespace = await made('n', { contents: { objects: [aChild('a'), aChild('b')] } });

      await metadefs.replaceChild(namespace, 'objects', 'a', aChild('a', { description: 'new' }));
      await metadefs.replaceChild(namespace, 'objects', 'b', aChild('c'));

      expect(await metadefs.children(namespace, 'objects')).toEqual([aChild('a', { description: 'new' }), aChild('c')]);
      expect(await found('n')).toMatchObject({ counts: { objects: 2 }, revision: 2 });
      await expect(metadefs.replaceChild(namespace, 'objects', 'a', aChild('c'))).rejects.toMatchObject({
        kind: 'Conflict',
      });
      await expect(metadefs.replaceChild(namespace, 'objects', 'b', aChild('d'))).rejects.toMatchObject({
        kind: 'NotFound',
        message: 'Metadata definition object b was not found in namespace=n.',
      });
      await expect(metadefs.replaceChild(namespace, 'objects', 'b', aChild('b'))).rejects.toMatchObject({
        kind: 'NotFound',
      });
      expect(await namesIn(namespace, 'objects')).toEqual(['a', 'c']);
    });

    test('are removed once', async () => {
      const namespace = await made('n', { contents: { tags: [aChild('a'), aChild('b')] } });

      await metadefs.removeChild(namespace, 'tags', 'a');

      await expect(metadefs.removeChild(namespace, 'tags', 'a')).rejects.toMatchObject({
        kind: 'NotFound',
        message: 'Metadata definition tag a was not found in namespace=n.',
      });
      expect(await found('n')).toMatchObject({ counts: { tags: 1 }, revision: 1 });
      expect(await namesIn(namespace, 'tags')).toEqual(['b']);
    });

    test('all become others at once; a namespace read before finds none of either', async () => {
      const before = await made('n', { contents: { tags: [aChild('a')], objects: [aChild('o')] } });

      await metadefs.replaceAll(before, 'tags', [aChild('c'), aChild('b')]);
      const after = await found('n');

      expect(await namesIn(after, 'tags')).toEqual(['b', 'c']);
      expect(await namesIn(after, 'objects')).toEqual(['o']);
      expect(after).toMatchObject({ counts: { tags: 2, objects: 1 }, revision: 1 });
      expect(after.generations.tags).not.toBe(before.generations.tags);
      expect(after.generations.objects).toBe(before.generations.objects);
      expect(await namesIn(before, 'tags')).toEqual([]);
    });

    test('a small change that something else came before is no race; a replacement, an owner, a protection is', async () => {
      const read = await made('n', { contents: { tags: [aChild('a'), aChild('b')] } });
      await metadefs.addChild(read, 'tags', aChild('c'));
      await metadefs.addChild(read, 'objects', aChild('o'));
      await metadefs.removeChild(read, 'tags', 'a');

      const owned = await metadefs.update(await found('n'), { ...read, owner: 'other' }, AT);
      const stale = { kind: 'StaleRevision', message: 'Namespace n changed meanwhile' };
      await expect(metadefs.addChild(read, 'tags', aChild('d'))).rejects.toMatchObject(stale);
      await expect(metadefs.removeChild(read, 'tags', 'b')).rejects.toMatchObject(stale);
      await metadefs.replaceChild(read, 'tags', 'b', aChild('b', { x: 1 }));

      await metadefs.update(await found('n'), { ...owned, protected: true }, AT);
      await expect(metadefs.removeChild(owned, 'tags', 'b')).rejects.toMatchObject(stale);
      await metadefs.replaceAll(await found('n'), 'tags', []);
      await expect(metadefs.addChild(owned, 'tags', aChild('d'))).rejects.toMatchObject(stale);
      expect(await namesIn(await found('n'), 'tags')).toEqual([]);
      expect(await namesIn(owned, 'tags')).toEqual([]);
    });

    test('of dead generations are swept, those of the living are spared', async () => {
      const namespace = await made('n', { contents: { tags: [aChild('a')] } });

      await metadefs.sweep(namespace.id, [namespace.generations.tags, 'never-was']);
      await metadefs.sweep('no namespace', ['x']);
      await metadefs.sweep(namespace.id, []);

      expect(await namesIn(namespace, 'tags')).toEqual(['a']);
    });
  });

  describe('resource types', () => {
    test('are made when first associated, listed by name, and stay until they are removed', async () => {
      const namespace = await made('n', { associations: [anAssociation('B')] });
      await metadefs.associate(namespace, { ...anAssociation('A'), prefix: 'hw_' });

      const types = await metadefs.resourceTypes();
      const after = await found('n');
      expect(types.map(({ name, createdAt, updatedAt }) => [name, createdAt === updatedAt])).toEqual([
        ['A', true],
        ['B', true],
      ]);
      expect(after).toMatchObject({
        associations: [{ resourceType: 'B' }, { resourceType: 'A', prefix: 'hw_' }],
        revision: 1,
      });

      await metadefs.dissociate(after, 'B');
      expect((await found('n')).associations.map(({ resourceType }) => resourceType)).toEqual(['A']);
      await metadefs.removeResourceType('B');
      await expect(metadefs.removeResourceType('B')).rejects.toMatchObject({
        kind: 'NotFound',
        message: 'Resource type B was not found.',
      });
      expect((await metadefs.resourceTypes()).map(({ name }) => name)).toEqual(['A']);
    });
  });

  describe('limits of a project', () => {
    const over = (owner: string | null, limit: number, words: string, held: number, more: number) => ({
      kind: 'LimitExceeded',
      message: `Project ${owner} may hold ${limit} ${words}; it holds ${held}, ${more} more were asked for.`,
    });

    test('namespaces: a deleted one makes room, another project has its own', async () => {
      await start({ namespaces: 1 });
      const first = await made('n');

      await expect(made('m')).rejects.toMatchObject(over('demo', 1, 'metadata namespaces', 1, 1));
      expect(await metadefs.find('m')).toBeUndefined();
      await made('of another', { owner: 'other' });
      await made('of nobody', { owner: null });
      await expect(made('m', { owner: null })).rejects.toMatchObject(over(null, 1, 'metadata namespaces', 1, 1));
      await metadefs.delete(first);
      await made('m');
    });

    test('children: of all namespaces together, added, created with them or replaced as a whole', async () => {
      await start({ tags: 3 });
      const first = await made('n', { contents: { tags: [aChild('a'), aChild('b')] } });
      const second = await made('m');
      await metadefs.addChild(second, 'tags', aChild('c'));

      const full = over('demo', 3, 'metadata tags', 3, 1);
      await expect(metadefs.addChild(second, 'tags', aChild('d'))).rejects.toMatchObject(full);
      await expect(made('k', { contents: { tags: [aChild('a')] } })).rejects.toMatchObject(full);
      const three = [aChild('x'), aChild('y'), aChild('z')];
      await expect(metadefs.replaceAll(first, 'tags', three)).rejects.toMatchObject(full);
      expect(await namesIn(first, 'tags')).toEqual(['a', 'b']);
      expect(await found('m')).toMatchObject({ counts: { tags: 1 }, revision: 1 });

      await metadefs.removeChild(first, 'tags', 'a');
      await metadefs.addChild(second, 'tags', aChild('d'));
    });

    test('the message names the limit that is passed, not one that is off', async () => {
      await start({ tags: 0 });

      await expect(made('n', { contents: { tags: [aChild('a')] } })).rejects.toMatchObject(
        over('demo', 0, 'metadata tags', 0, 1),
      );
    });

    test('a new owner takes over what is counted, if there is room', async () => {
      await start({ namespaces: 1, properties: 1 });
      const namespace = await made('n', { contents: { properties: [aChild('a')] } });
      const others = await made('m', { owner: 'other' });

      const given = { ...namespace, owner: 'other' };
      await expect(metadefs.update(namespace, given, AT)).rejects.toMatchObject(
        over('other', 1, 'metadata namespaces', 1, 1),
      );
      await metadefs.delete(others);
      await metadefs.update(namespace, given, AT);

      await made('again', { contents: { properties: [aChild('a')] } });
      await expect(made('m', { owner: 'other' })).rejects.toMatchObject({ kind: 'LimitExceeded' });
    });

    test('associations and resource types', async () => {
      await start({ associations: 2, types: 1 });
      const namespace = await made('n', { associations: [anAssociation('A')] });

      await expect(metadefs.associate(namespace, anAssociation('B'))).rejects.toMatchObject(
        over('demo', 1, 'resource types', 1, 1),
      );
      await made('of another', { owner: 'other', associations: [anAssociation('B')] });
      await metadefs.associate(namespace, anAssociation('B'));
      await made('third', { owner: 'third', associations: [anAssociation('C')] });
      await expect(metadefs.associate(await found('n'), anAssociation('C'))).rejects.toMatchObject(
        over('demo', 2, 'resource type associations', 2, 1),
      );
    });
  });

  describe('pages of namespaces', () => {
    const query = (more: Partial<NamespaceQuery>): NamespaceQuery => ({
      ...{ reach: 'all', sort: { key: 'createdAt', direction: 'desc' }, limit: 25 },
      ...more,
    });
    const names = async (more: Partial<NamespaceQuery>) =>
      (await metadefs.page(query(more))).namespaces.map(({ name }) => name);
    beforeEach(async () => {
      const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'].map((day) => `${day}T00:00:00.000Z`);
      const [first = '', second = '', third = '', fourth = ''] = days;
      await made('c', { createdAt: first, displayName: 'z', associations: [anAssociation('A')] });
      await made('b', { createdAt: second, visibility: 'private', displayName: 'y' });
      await made('a', { createdAt: third, owner: 'other', associations: [anAssociation('B')] });
      await made('d', { createdAt: fourth, owner: 'other', visibility: 'private', displayName: 'x' });
    });

    test.each<[string, Partial<NamespaceQuery>, string[]]>([
      ['everybody’s', {}, ['d', 'a', 'b', 'c']],
      ['one project’s', { reach: { project: 'demo' } }, ['a', 'b', 'c']],
      ['no project’s', { reach: { project: null } }, ['a', 'c']],
      ['public ones', { visibility: 'public' }, ['a', 'c']],
      ['private ones of everybody', { visibility: 'private' }, ['d', 'b']],
      ['private ones of a project', { reach: { project: 'demo' }, visibility: 'private' }, ['b']],
      ['associated with a type', { resourceTypes: ['A'] }, ['c']],
      ['associated with one of two', { resourceTypes: ['A', 'B'] }, ['a', 'c']],
      ['associated with none there is', { resourceTypes: ['C'] }, []],
      ['oldest first', { sort: { key: 'createdAt', direction: 'asc' } }, ['c', 'b', 'a', 'd']],
      ['by name', { sort: { key: 'name', direction: 'asc' } }, ['a', 'b', 'c', 'd']],
      ['by name, last first', { sort: { key: 'name', direction: 'desc' } }, ['d', 'c', 'b', 'a']],
      ['by a key of no index, null first', { sort: { key: 'displayName', direction: 'asc' } }, ['a', 'd', 'b', 'c']],
    ])('%s', async (_, more, expected) => {
      expect(await names(more)).toEqual(expected);
    });

    test.each(['createdAt', 'name', 'displayName'] as const)('follow one another by %s', async (key) => {
      const sort = { key, direction: 'asc' } as const;
      const seen: string[] = [];
      let marker: Namespace | undefined;
      for (;;) {
        const { namespaces, more } = await metadefs.page(query({ sort, limit: 3, ...(marker && { marker }) }));
        seen.push(...namespaces.map(({ name }) => name));
        expect(more).toBe(namespaces.length === 3);
        marker = namespaces.at(-1);
        if (!more) break;
      }

      expect(seen).toEqual(await names({ sort }));
      expect(seen).toHaveLength(4);
    });

    test('of none hold none and have nothing after them', async () => {
      expect(await metadefs.page(query({ limit: 0 }))).toEqual({ namespaces: [], more: false });
    });
  });

  test('that the standard catalog was loaded is noted once and for all', async () => {
    expect(await metadefs.isLoaded()).toBe(false);
    await metadefs.markLoaded(AT);
    await metadefs.markLoaded(AT);

    expect(await metadefs.isLoaded()).toBe(true);
  });
}
