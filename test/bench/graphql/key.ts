/** Admits to the servers of this bench, on the loopback and while it runs. */
export const KEY = 'bench-key';
