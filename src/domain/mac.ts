/** A MAC address as six lower-case pairs with colons. */
export type Mac = string & { readonly __mac: unique symbol };

const CANONICAL = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;
const NOBODY = '00:00:00:00:00:00';

/** Colons, dashes, dots or nothing between the digits, any case; undefined when it is not 48 bits or is all zeros. */
export function macAddress(text: string): Mac | undefined {
  if (CANONICAL.test(text) && text !== NOBODY) return text as Mac;
  const digits = text.toLowerCase().replace(/[:.-]/g, '');
  if (!/^[0-9a-f]{12}$/.test(digits) || digits === '000000000000') return undefined;
  return digits.replace(/(..)(?!$)/g, '$1:') as Mac;
}

/** VRRP's own MACs (RFC 9568 §7.3): whoever answers with one holds a virtual address. */
export function isVrrpMac(mac: Mac): boolean {
  return mac.startsWith('00:00:5e:00:01:') || mac.startsWith('00:00:5e:00:02:');
}
