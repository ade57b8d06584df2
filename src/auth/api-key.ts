import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** `skit_` + 8 characters that lists may show + `_` + 32 random bytes in base64url. */
const KEY = /^skit_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/;
const PREFIX_LENGTH = 'skit_'.length + 8;
const PREFIX_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** Longer than any key anybody would choose, and short enough to hash for whoever knocks. */
const LONGEST_KEY = 512;

/** A fresh key. Its text is shown once; what is kept is `keyPrefix` and `keyHash` of it. */
export function newApiKey(): string {
  const prefix = Array.from({ length: 8 }, () => PREFIX_ALPHABET[randomInt(PREFIX_ALPHABET.length)]).join('');
  return `skit_${prefix}_${randomBytes(32).toString('base64url')}`;
}

/**
 * What a key is looked up by: its first characters where it is one of ours.
 * A key that an admin chose herself (INIT_ADMIN_API_KEY) shows nothing of its text: `h_` and 8 hex digits of its hash.
 */
export function keyPrefix(text: string): string {
  return KEY.test(text) ? text.slice(0, PREFIX_LENGTH) : `h_${keyHash(text).slice(0, 8)}`;
}

/** Hex SHA-256. No slow hash: a key has 256 random bits, there is no dictionary to try. */
export function keyHash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** Whether `text` is the key of that hash, in a time that does not depend on where they differ. */
export function isKeyOf(text: string, hash: string): boolean {
  const presented = Buffer.from(keyHash(text), 'hex');
  const kept = Buffer.from(hash, 'hex');
  return kept.length === presented.length && timingSafeEqual(presented, kept);
}

/** Whether a text could be anybody's key at all; the rest is refused without asking the store. */
export function couldBeKey(text: string): boolean {
  return text.length >= 16 && text.length <= LONGEST_KEY;
}

/** Whether a key that an admin chose herself can travel in a header: printable ASCII, no space at its ends. */
export function isUsableKey(text: string): boolean {
  return couldBeKey(text) && /^[\x21-\x7e][\x20-\x7e]*[\x21-\x7e]$/.test(text);
}

/** All of it as one value, for the room that makes keys and may not know this one. */
export const keyScheme = {
  create: newApiKey,
  prefixOf: keyPrefix,
  hashOf: keyHash,
  isUsable: isUsableKey,
};
