// From a sentence to ids, by the rules of sentir.text.cleaning and sentir.text.treebank.
//
// Lists of words and signs come from Python with the network (`rules`). The patterns are repeated
// here, since JavaScript's syntax differs from Python's; a test compares both on hundreds of sentences.
"use strict";

/** Python's white space; JavaScript's \s holds other characters. */
const BLANKS = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const ENTITY = /&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g;
const BREAK = /<(?:br|p|\/p|div|\/div|li|\/li)[\t-\r ]*\/?>/gi;
const ESCAPED_BREAK = /\\+(?:[nr]|t(?![a-z]))/g;
const ESCAPED_QUOTE = /\\+(?=["'])/g;
const SIGNS = "`'\"«»“”‘’„¡¿;@#$%&?!*()[]{}<>‒–—―";

/** The inside of a character class, from ranges of code points. */
const classOf = (ranges) =>
  ranges.map((range) => range.map((code) => `\\u{${code.toString(16)}}`).join("-")).join("");
const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
/** Plain letters in either case; only what follows the last dot of an address is case-sensitive. */
const anyCase = (text) => text.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);

const ADDRESS = new RegExp(
  "(?<![\\p{L}\\p{N}_@.])(?:" +
    `(?:${anyCase("http")}[sS]?|${anyCase("ftp")})://[^<>"]+` +
    `|${anyCase("www")}\\.[^<>"]+` +
    "|(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\\.){1,8}" +
    `(?:${["com", "org", "net", "edu", "gov", "info"].map(anyCase).join("|")}` +
    `|(?![A-Z][a-z])(?:${["es", "mx", "ar", "uk", "de", "fr"].map(anyCase).join("|")}))` +
    '(?![\\p{L}\\p{N}_@-]|\\.[\\p{L}\\p{N}_])(?:[/?#][^<>"]*)?' +
    ")(?<![.,;:!?'\")\\]}>])",
  "gu",
);

/** The cleaning steps by their names; all but html look at one stretch between blanks. */
function cleaningSteps(rules) {
  const invisible = new RegExp(`[${classOf(rules.invisible)}]+`, "gu");
  const decoder = document.createElement("textarea");
  const decoded = (entity) => {
    decoder.innerHTML = entity;
    return decoder.value;
  };
  return {
    html: (text) =>
      text
        .replace(ENTITY, decoded)
        .replace(BREAK, " ")
        .replace(ESCAPED_BREAK, " ")
        .replace(ESCAPED_QUOTE, "")
        .replace(new RegExp(`[${rules.blanks}]`, "g"), " "),
    nfc: (text) =>
      text
        .replace(/[\x80-\x84\x86-\x9f]/g, (control) => rules.c1_controls[control])
        .replace(invisible, "")
        .normalize("NFC"),
    quotes: (text) => Array.from(text, (sign) => rules.quotes[sign] ?? sign).join(""),
    url: (text) => text.replace(ADDRESS, rules.address),
    lower: (text) => text.toLowerCase(),
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
        `|(?:[^.…:,${stops}${symbols}-]|\\.(?!\\.)|-(?!-)|'(?!')|[:,](?=\\p{Nd}))+`,
      "gu",
    );
  }

  /** The words of a text, as many as it has ids. */
  tokens(text) {
    return this.whole(text).split(BLANKS).filter(Boolean).flatMap((piece) => this.piece(piece));
  }

  /** The id of a word; words the network does not know share one. */
  id(word) {
    return this.ids.get(word) ?? this.rules.unknown;
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
    if (/^'(?!(?:re|ve|ll|m|t|s|d|n)(?![\p{L}\p{N}_]))(?=[\p{L}\p{N}_])/iu.test(word)) {
      before.push("'");
      word = word.slice(1);
    }
    const stem = word.replace(/'+$/, "");
    if (endsPiece && stem.length > 1 && stem.endsWith(".") && stem.at(-2) !== ".") {
      const bare = stem.slice(0, -1);
      const initials = /^(?:[\p{L}\p{Nl}\p{No}]\.)*[\p{L}\p{Nl}\p{No}]$/u;
      if (!this.abbreviations.has(bare.toLowerCase()) && !initials.test(bare)) {
        after = [".", ...word.slice(stem.length)];
        word = bare;
      }
    }
    const clitics = [];
    for (let match; (match = /^(.*[^'])('(?:s|m|d|ll|re|ve)?|n't)$/iu.exec(word)); ) {
      word = match[1];
      clitics.unshift(match[2]);
    }
    const joined =
      /^(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n)|(wan)(na))$/iu.exec(word);
    const words = joined ? joined.slice(1).filter(Boolean) : [word];
    return [...before, ...words, ...clitics, ...after];
  }
}
