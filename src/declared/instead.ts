/** By key, what is said of one that is no setting here though somebody may well write it: what to write instead. */
export type Instead = Readonly<Record<string, string>>;

/** The settings of the two ways to ask a cluster. */
export const API_KEYS = ['urls', 'tokenId', 'tokenSecretEnv', 'tokenSecretFile', 'tlsFingerprint', 'caFile'];
export const SSH_KEYS = ['host', 'port', 'user', 'keyFile', 'keyPassphraseFile', 'hostKeyFingerprint'];

/** A secret that stands in the file itself is in every copy of it. */
export function neverWritten(...names: readonly string[]): string {
  return `is refused: secrets are named here (${names.join(', ')}), never written`;
}

export const CLUSTER_INSTEAD: Instead = {
  ...all(['url', ...API_KEYS], 'belongs below api'),
  ...all(SSH_KEYS, 'belongs below ssh'),
  ...all(
    ['token', 'tokenSecret'],
    'is refused: secrets are named below api (tokenSecretEnv, tokenSecretFile), never written',
  ),
  ...all(
    ['password', 'key', 'keyPassphrase'],
    'is refused: give api a token, or ssh a key (keyFile); secrets are never written here',
  ),
};

export const API_INSTEAD: Instead = {
  ...all(['token', 'secret', 'apiKey'], neverWritten('tokenSecretEnv', 'tokenSecretFile')),
  password: 'is refused: sign in with an API token (tokenId, and tokenSecretEnv or tokenSecretFile)',
  ...all(['user', 'username'], 'is not a setting that exists: tokenId names the user too (user@realm!token)'),
};

export const NPM_INSTEAD: Instead = {
  ...all(['password', 'token'], neverWritten('secretEnv', 'secretFile')),
  ...all(['passwordEnv'], 'is not a setting that exists: write secretEnv'),
  ...all(['passwordFile'], 'is not a setting that exists: write secretFile'),
  ...all(
    ['email', 'user', 'username'],
    'is not a setting that exists: write identity, the address that the user signs in with',
  ),
};

export const UNIFI_INSTEAD: Instead = {
  ...all(['key', 'token', 'secret'], neverWritten('apiKeyEnv', 'apiKeyFile', 'passwordEnv', 'passwordFile')),
  ...all(['user', 'identity'], 'is not a setting that exists: write username'),
};

export const NETBOX_INSTEAD: Instead = {
  ...all(['apiKey', 'key', 'secret'], neverWritten('tokenEnv', 'tokenFile')),
  ...all(
    ['username', 'user', 'password'],
    'is not a setting that exists: NetBox is asked with a token (tokenEnv or tokenFile)',
  ),
};

function all(keys: readonly string[], words: string): Instead {
  return Object.fromEntries(keys.map((key) => [key, words]));
}
