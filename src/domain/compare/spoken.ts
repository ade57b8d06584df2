import { type Family, familyOf, type IpAddress } from '../address.js';
import type { Row } from './binding.js';

/** Whether a row's word on a field is compared: retired rows speak of nothing but their end, ranges of no name and address. */
export function speaksOf(row: Row, field: 'name' | 'node' | 'status' | 'addresses'): boolean {
  if (row.row.unreadable.includes(field)) return false;
  if (row.isRange && (field === 'name' || field === 'addresses')) return false;
  return row.row.status?.means !== 'retired' || field === 'status';
}

/** The addresses of a family that each row expects its guest to carry; rows that expect none are left out. */
export function declaredSet(
  rows: readonly Row[],
  family: Family,
): readonly { readonly row: Row; readonly addresses: readonly IpAddress[] }[] {
  return rows.flatMap((row) => {
    const addresses = speaksOf(row, 'addresses') ? row.row.addresses.filter((a) => familyOf(a) === family) : [];
    return addresses.length === 0 ? [] : [{ row, addresses }];
  });
}
