const EMOJI =
  /\p{Extended_Pictographic}|[\u{1F1E6}-\u{1F1FF}\u{1F3FB}-\u{1F3FF}\u{20E3}\u{FE0E}\u{FE0F}\u{200B}-\u{200D}\u{2060}\u{FEFF}]/gu;

/** Names that forges turn into pictures; only these, as an IPv6 address also holds words between colons. */
const SHORTCODES: Readonly<Record<string, string>> = {
  ':white_check_mark:': '✅',
  ':heavy_check_mark:': '✅',
  ':green_circle:': '🟢',
  ':red_circle:': '🔴',
  ':no_entry:': '⛔',
  ':x:': '❌',
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&nbsp;': ' ',
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#124;': '|',
  '&ndash;': '–',
  '&mdash;': '—',
};

/** What a cell or heading says once its Markdown is gone; emoji are gone too. */
export function plainText(markdown: string): string {
  // Most cells of a large table wear nothing at all.
  if (/^[A-Za-z0-9 .,/()+#-]*$/.test(markdown)) return markdown.replace(/ {2,}/g, ' ').trim();
  return withoutMarkup(markdown).replace(EMOJI, '').replace(/\s+/g, ' ').trim();
}

/** The emoji of a cell, in order, without their modifiers. */
export function emojiOf(markdown: string): string[] {
  return withoutMarkup(markdown).match(/\p{Extended_Pictographic}/gu) ?? [];
}

/** Whether a cell, or part of it, is struck through. */
export function isStruck(markdown: string): boolean {
  return /~~.+?~~|<(?:del|s|strike)>/.test(markdown);
}

/** What was struck through is no longer said. */
export function withoutStruck(markdown: string): string {
  return markdown.replace(/~~.+?~~|<(del|s|strike)>.*?<\/\1>/g, ' ');
}

/** Words by which people say that a cell says nothing. */
export function saysNothing(text: string): boolean {
  return /^(?:[-–—―._*/\s]*|\?+|…|tb[dacn]|n\.?\/?a\.?|none|null|nil|empty|todo)$/i.test(text.trim());
}

function withoutMarkup(markdown: string): string {
  return markdown
    .replace(/<!--.*?-->/g, ' ')
    .replace(/:[a-z_]+:/g, (code) => SHORTCODES[code] ?? code)
    .replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/<br\s*\/?>/gi, ' ')
    .replace(/<\/?[a-z][^<>]*>/gi, '')
    .replace(/&(?:nbsp|amp|lt|gt|quot|#124|ndash|mdash);/g, (entity) => ENTITIES[entity] ?? entity)
    .replace(/`+|\*\*|~~/g, '')
    .replace(/(?<!\w)__(?=\S)(.*?)(?<=\S)__(?!\w)/g, '$1')
    .replace(/(?<![\w*])\*(?=\S)(.*?)(?<=\S)\*(?![\w*])/g, '$1')
    .replace(/(?<![\w_])_(?=\S)(.*?)(?<=\S)_(?![\w_])/g, '$1')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/\u00A0/g, ' ');
}
