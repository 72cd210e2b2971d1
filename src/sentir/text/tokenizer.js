// From a text to words and ids, by the rules of sentir.text.cleaning and sentir.text.treebank.
//
// Lists of words and signs come from Python (`rules`, see sentir.text.javascript). The patterns are
// repeated here, since JavaScript's syntax differs from Python's; tests compare both. Letters are
// those of the Unicode version that the browser, Node or Python knows.
"use strict";

/** Python's white space; JavaScript's \s holds other characters. */
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SPACES = new RegExp(`[${SPACE}]+`);
/** Python's \w. */
const WORD = "\\p{L}\\p{N}_";
const ENTITY = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;
/** Python reads no decimal number of so many digits, and leaves a text with one as it is. */
const ENDLESS_NUMBER = /&#[0-9]{4301}/;
const ESCAPED_BREAK = /\\+(?:[nr]|t(?![a-z]))/g;
const ESCAPED_QUOTE = /\\+(?=["'])/g;
const SIGNS = "`'\"«»“”‘’„¡¿;@#$%&?!*()[]{}<>‒–—―";

/** The inside of a character class, from ranges of code points. */
const classOf = (ranges) =>
  ranges.map((range) => range.map((code) => `\\u{${code.toString(16)}}`).join("-")).join("");
const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
/** Letters that Python, ignoring case, takes for these too. */
const FOLDED = { i: "İı", k: "\u212a", s: "ſ" };
/** The plain letters of a pattern in either case. */
const anyCase = (pattern) =>
  pattern.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}${FOLDED[letter] ?? ""}]`);
/** Patterns in either case, as alternatives. */
const anyOf = (...patterns) => patterns.map(anyCase).join("|");

const BREAK = new RegExp(`<(?:${anyOf("br", "p", "/p", "div", "/div", "li", "/li")})[${SPACE}]*/?>`, "g");
const HOST = "a-zA-Z0-9İıſ\u212a";
const URL_ADDRESS = new RegExp(
  `(?<![${WORD}@.])(?:` +
    `(?:${anyCase("http")}(?:${anyCase("s")})?|${anyCase("ftp")})://[^<>"]+` +
    `|${anyCase("www")}\\.[^<>"]+` +
    `|(?:[${HOST}](?:[${HOST}-]{0,61}[${HOST}])?\\.){1,8}` +
    `(?:${anyOf("com", "org", "net", "edu", "gov", "info")}` +
    // What follows the last dot is the only place where case matters: "libro.Es" is two words.
    `|(?![A-Z][a-z])(?:${anyOf("es", "mx", "ar", "uk", "de", "fr")}))` +
    `(?![${WORD}@-]|\\.[${WORD}])(?:[/?#][^<>"]*)?` +
    ")(?<![.,;:!?'\")\\]}>])",
  "gu",
);
const LONG_MARKS = new RegExp(`([^${WORD}${SPACE}\\x00-\\x7f]{100})[^${WORD}${SPACE}\\x00-\\x7f]+`, "gu");
const CLITICS = anyOf("s", "m", "d", "ll", "re", "ve");
const CLITIC = new RegExp(`^(.*[^'])('(?:${CLITICS})?|${anyCase("n't")})$`, "u");
const LEADING_APOSTROPHE = new RegExp(`^'(?!(?:${CLITICS}|${anyOf("t", "n")})(?![${WORD}]))(?=[${WORD}])`, "u");
const CONTRACTION = new RegExp(
  `^(?:${anyCase("(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n)|(wan)(na)")})$`,
  "u",
);
/** A number with its decimals or minutes; the group is what a rating is written with. */
const NUMBER = new RegExp(
  `((?<![${WORD}])(?:10|[0-9])(?:[.,][0-9])?(?![.,:]?\\p{Nd}))|\\p{Nd}+(?:[.,:]\\p{Nd}+)*`,
  "gu",
);
const INITIALS = /^(?:[\p{L}\p{Nl}\p{No}]\.)*[\p{L}\p{Nl}\p{No}]$/u;

/** Python's html.unescape. */
function unescaper(rules) {
  const entities = new Map(Object.entries(rules.entities));
  const references = new Map(rules.references);
  const decoded = (whole, name) => {
    if (name[0] === "#") {
      const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
      if (references.has(code)) return references.get(code);
      const isNone = (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff;
      return isNone ? "\ufffd" : String.fromCodePoint(code);
    }
    for (let end = name.length; end > 1; end -= 1) {
      const entity = entities.get(name.slice(0, end));
      if (entity !== undefined) return entity + name.slice(end);
    }
    return whole;
  };
  return (text) => (ENDLESS_NUMBER.test(text) ? text : text.replace(ENTITY, decoded));
}

/** The cleaning steps by their names; all but html look at one stretch between blanks. */
function cleaningSteps(rules) {
  const invisible = new RegExp(`[${classOf(rules.invisible)}]+`, "gu");
  const blanks = new RegExp(`[${rules.blanks}]`, "g");
  const unescape = unescaper(rules);
  return {
    html: (text) =>
      unescape(text)
        .replace(BREAK, " ")
        .replace(ESCAPED_BREAK, " ")
        .replace(ESCAPED_QUOTE, "")
        .replace(blanks, " "),
    nfc: (text) =>
      text
        .replace(/[\x80-\x84\x86-\x9f]/g, (control) => rules.c1_controls[control])
        .replace(invisible, "")
        .replace(LONG_MARKS, "$1")
        .normalize("NFC"),
    quotes: (text) => Array.from(text, (sign) => rules.quotes[sign] ?? sign).join(""),
    url: (text) => text.replace(URL_ADDRESS, rules.address),
    lower: (text) => text.toLowerCase(),
    numbers: (text) =>
      text.replace(NUMBER, (number, rating) => rating ?? number.replace(/\p{Nd}/gu, "0")),
    digits: (text) => text.replace(/\p{Nd}/gu, "0"),
  };
}

class Tokenizer {
  /**
   * @param rules lists of the tokenizer, as Python wrote them.
   * @param clean names of the cleaning steps, in their order.
   * @param words the words of the ids from `rules.first` on.
   */
  constructor(rules, clean, words) {
    this.rules = rules;
    this.ids = new Map(words.map((word, at) => [word, at + rules.first]));
    this.abbreviations = new Set(rules.abbreviations);
    this.closers = new Set(rules.closers);
    const steps = cleaningSteps(rules);
    this.whole = clean.includes("html") ? steps.html : (text) => text;
    this.local = clean.filter((name) => name !== "html").map((name) => steps[name]);
    const stops = escaped(SIGNS);
    const symbols = classOf(rules.symbols);
    this.symbol = new RegExp(`^[${symbols}]`, "u");
    this.token = new RegExp(
      `${escaped(rules.address)}|\\.{2,}|…|--|\`+|''|[${stops.replace("`", "").replace("'", "")}]` +
        "|[:,](?!\\p{Nd})" +
        `|[\\u{1f1e6}-\\u{1f1ff}]{2}|[${symbols}]` +
        `|(?:[^${SPACE}.…:,${stops}${symbols}-]|\\.(?!\\.)|-(?!-)|'(?!')|[:,](?=\\p{Nd}))+`,
      "gu",
    );
  }

  /** The words of a text, as many as it has ids. */
  tokens(text) {
    return this.whole(text).split(SPACES).filter(Boolean).flatMap((piece) => this.piece(piece));
  }

  /** The id of a word; words the network does not know share one. */
  id(word) {
    return this.ids.get(word) ?? this.rules.unknown;
  }

  /** Of a long text a part of its start, and its end, as `sentir.data.batching.truncate`. */
  truncated(tokens, longest) {
    const first = Math.floor(longest / 4);
    if (tokens.length <= longest) return tokens;
    return [...tokens.slice(0, first), ...tokens.slice(tokens.length - (longest - first))];
  }

  piece(piece) {
    const letters = Array.from(this.local.reduce((text, step) => step(text), piece));
    const tokens = [];
    for (let at = 0; at < letters.length; at += this.rules.longest) {
      tokens.push(...this.split(letters.slice(at, at + this.rules.longest).join("")));
    }
    return tokens;
  }

  split(piece) {
    const found = piece.match(this.token) ?? [];
    let lastWord = found.length - 1;
    const closes = (token) => this.closers.has(token) || this.symbol.test(token);
    while (lastWord >= 0 && closes(found[lastWord])) lastWord -= 1;
    const tokens = [];
    found.forEach((token, at) => {
      if (token === '"' || token === "''") {
        const opens = !tokens.length || "([{<".includes(tokens.at(-1));
        tokens.push(opens ? "``" : "''");
      } else if (/^[\p{L}\p{N}.'-]/u.test(token) || Array.from(token).length > 1) {
        tokens.push(...this.word(token, at === lastWord));
      } else {
        tokens.push(token);
      }
    });
    return tokens;
  }

  /** Clitics leave their word; a full stop leaves what is no abbreviation. */
  word(word, endsPiece) {
    const before = [];
    let after = [];
    if (LEADING_APOSTROPHE.test(word)) {
      before.push("'");
      word = word.slice(1);
    }
    const stem = word.replace(/'+$/, "");
    if (endsPiece && stem.length > 1 && stem.endsWith(".") && stem.at(-2) !== ".") {
      const bare = stem.slice(0, -1);
      if (!this.abbreviations.has(bare.toLowerCase()) && !INITIALS.test(bare)) {
        after = [".", ...word.slice(stem.length)];
        word = bare;
      }
    }
    const clitics = [];
    for (let match; (match = CLITIC.exec(word)); ) {
      word = match[1];
      clitics.unshift(match[2]);
    }
    const joined = CONTRACTION.exec(word);
    const words = joined ? joined.slice(1).filter(Boolean) : [word];
    return [...before, ...words, ...clitics, ...after];
  }
}
