import type { HardwarePart } from '../../../domain/record.js';
import { partText } from '../../hardware/part-text.js';
import { type WireObject, wireObject, wireObjects } from '../../wire-values.js';

/** One node of lshw's tree, with the ones above it. */
export interface TreeNode {
  readonly id: string;
  readonly kind: string;
  readonly row: WireObject;
  readonly parent: TreeNode | undefined;
}

/** All nodes of an answer: an object up to B.02.18, a list of one from B.02.19. */
export function treeNodes(answer: unknown): readonly TreeNode[] {
  const roots = Array.isArray(answer) ? (wireObjects(answer) ?? []) : [wireObject(answer)];
  return roots.flatMap((root) => (root === undefined ? [] : below(root, undefined)));
}

function below(row: WireObject, parent: TreeNode | undefined): readonly TreeNode[] {
  const node = { id: String(row.id ?? ''), kind: String(row.class ?? ''), row, parent };
  return [node, ...(wireObjects(row.children) ?? []).flatMap((child) => below(child, node))];
}

/** The words that nodes of every kind use for what they are. */
export function wordsOf({ row }: TreeNode): Pick<HardwarePart, 'vendor' | 'model' | 'serial'> {
  return { vendor: partText(row.vendor), model: partText(row.product), serial: partText(row.serial) };
}
