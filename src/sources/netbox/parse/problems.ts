import type { DeclaredProblem, VmDeclaration } from '../../../domain/declaration.js';
import { isBefore } from './answer.js';
import type { Lists } from './declared.js';
import { ADDRESS_PAGE, GLOBAL, MACHINE_PAGE, type Meaning } from './meaning.js';
import { grouped } from './values.js';

/** Of each sort of problem so many are listed one by one; the rest is a number. */
const MOST_OF_A_SORT = 100;

/** What a person should look at in NetBox or in `sources.yaml`. None of it stops the rest. */
export function problemsOf(
  lists: Lists,
  machines: readonly VmDeclaration[],
  meaning: Meaning,
): readonly DeclaredProblem[] {
  const sorts = [
    versionProblems(lists, meaning),
    missingField(lists, meaning),
    unknownNames(lists, meaning),
    unreadVmids(lists, meaning),
    repeatedVmids(machines),
    untied(machines, meaning),
    unreadAddresses(lists, meaning),
  ];
  return sorts.flatMap((sort) => bounded(sort, meaning));
}

function bounded(sort: readonly DeclaredProblem[], { settings }: Meaning): readonly DeclaredProblem[] {
  if (sort.length <= MOST_OF_A_SORT) return sort;
  const rest = { location: settings.url, message: `and ${sort.length - MOST_OF_A_SORT} more like these` };
  return [...sort.slice(0, MOST_OF_A_SORT), rest];
}

function versionProblems({ version, machines }: Lists, { settings }: Meaning): readonly DeclaredProblem[] {
  const location = settings.url;
  if (version === undefined) {
    if (machines.every(({ disk }) => disk === null)) return [];
    return [
      { location, message: 'NetBox does not tell its version, so the unit of disk sizes: they are not compared' },
    ];
  }
  if (!isBefore(version, 3, 7)) return [];
  const written = `${version.major}.${version.minor}`;
  return [{ location, message: `NetBox ${written} is older than 3.7, the oldest that is known to be read rightly` }];
}

function missingField({ machines }: Lists, { settings }: Meaning): readonly DeclaredProblem[] {
  if (machines.length === 0 || machines.some(({ vmid }) => vmid.kind !== 'missing')) return [];
  const message = `VMs have no custom field "${settings.vmidField}" (vmidField): they are tied to guests by MAC and name alone`;
  return [{ location: settings.url, message }];
}

/** Names in `sources.yaml` that NetBox does not have: mostly a slip of the pen. */
function unknownNames({ vrfs, clusters }: Lists, { settings }: Meaning): readonly DeclaredProblem[] {
  const known = new Set(clusters.map((name) => name.toLowerCase()));
  const wrong = [
    ...Object.keys(settings.clusters)
      .filter((name) => !known.has(name.toLowerCase()))
      .map((name) => `clusters: NetBox has no cluster "${name}"`),
    ...Object.keys(settings.vrfScopes)
      .filter((name) => name !== GLOBAL && !vrfs.includes(name))
      .map((name) => `vrfScopes: NetBox has no VRF "${name}"`),
  ];
  return wrong.map((message) => ({ location: settings.url, message }));
}

function unreadVmids({ machines }: Lists, meaning: Meaning): readonly DeclaredProblem[] {
  return machines.flatMap(({ id, name, vmid }) =>
    vmid.kind === 'unreadable'
      ? [{ location: meaning.pageOf(MACHINE_PAGE, id), message: `${called(name)}: "${vmid.written}" is no VMID` }]
      : [],
  );
}

/** A retired VM may keep the VMID that another has by now. */
function repeatedVmids(machines: readonly VmDeclaration[]): readonly DeclaredProblem[] {
  const living = machines.filter(({ vmid, status }) => vmid !== null && status?.means !== 'retired');
  const groups = grouped(living, ({ cluster, vmid }) => `${cluster ?? '*'}/${vmid}`);
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group;
    if (first === undefined || others.length === 0) return [];
    const names = group.map(({ name }) => called(name)).join(', ');
    const where = first.cluster === null ? '' : ` in ${first.cluster}`;
    return [
      { location: first.location, message: `VMID ${first.vmid}${where} is written on ${group.length} VMs: ${names}` },
    ];
  });
}

/** VMs without a VMID are tied by MAC or name within their cluster: one line for each cluster that is mapped to none of ours. */
function untied(machines: readonly VmDeclaration[], { settings }: Meaning): readonly DeclaredProblem[] {
  const mapped = new Set(Object.keys(settings.clusters).map((name) => name.toLowerCase()));
  const without = machines.filter(
    ({ vmid, clusterName }) =>
      vmid === null && (clusterName === null || (mapped.size > 0 && !mapped.has(clusterName.toLowerCase()))),
  );
  return [...grouped(without, ({ clusterName }) => clusterName)].map(([clusterName, group]) => ({
    location: group[0]?.location ?? settings.url,
    message:
      clusterName === null
        ? `${many(group.length)} without a VMID and without a cluster: only a MAC can tie them to a guest`
        : `${many(group.length)} without a VMID in cluster "${clusterName}", which "clusters" does not name: a name ties them only if a cluster of ours is called the same`,
  }));
}

function unreadAddresses({ addresses }: Lists, meaning: Meaning): readonly DeclaredProblem[] {
  return addresses.flatMap((each) =>
    each.kind === 'unread'
      ? [
          {
            location: meaning.pageOf(ADDRESS_PAGE, each.id),
            message: `"${each.written}" is no address that can be read`,
          },
        ]
      : [],
  );
}

function called(name: string | null): string {
  return name ?? 'a VM without a name';
}

function many(count: number): string {
  return count === 1 ? 'one VM is' : `${count} VMs are`;
}
