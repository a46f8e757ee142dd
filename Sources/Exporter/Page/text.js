"use strict";

// Texts of strangers made harmless to read, and numbers made easy to read.
//
// A reading is what the page shows for a figure: `text`, `exact` (the whole value, shown on hovering), and `tone` (ok,
// warning, critical or quiet), which never says more than the text does.

/**
 * Characters that cannot be seen, that reorder the text beside them, or that pile up over other lines. Emoji and some
 * scripts need U+200C and U+200D. No script needs a sixth mark on one letter.
 */
const harmfulCharacters = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?<=\p{M}{5})\p{M}/gu;

/** The text with such characters written out, for example as `\u{202E}`. */
function visible(text) {
  return asText(text).replace(harmfulCharacters, character =>
    `\\u{${character.codePointAt(0).toString(16).toUpperCase()}}`);
}

/** The beginning of a text. It ends with no half of a character. */
function beginning(text, length) {
  const cut = text.slice(0, length);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}

// MARK: Fields that may be missing, or of another type, in the document of another version

function asText(value) {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : String(value);
}

function asNumber(value) { return typeof value === "number" && Number.isFinite(value) ? value : null; }

function asList(value) { return Array.isArray(value) ? value.filter(item => item !== null) : []; }

function asObject(value) { return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {}; }

/** A time in Unix seconds. A document writes a time that it does not know as null or 0. */
function asTime(value) {
  const seconds = asNumber(value);
  return seconds !== null && seconds > 0 && seconds < 8e12 ? seconds : null;
}

// MARK: Readings

const notKnown = { text: "not known", exact: "not known yet", tone: "quiet" };

const wholeNumbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const shortNumbers = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** Three digits, but never fewer than those before the point. */
function shortNumber(value) {
  return Math.abs(value) >= 1000 ? wholeNumbers.format(value) : shortNumbers.format(value);
}

/** Makes a function that reads a number and knows what to show where there is none. */
function readingOf(format, exactUnit) {
  return (value, tone = "") => {
    const number = asNumber(value);
    return number === null ? notKnown : { text: format(number), exact: `${number}${exactUnit}`, tone };
  };
}

const count = readingOf(number => Number.isInteger(number) ? wholeNumbers.format(number) : shortNumber(number), "");
const perSecond = readingOf(number => `${shortNumber(number)}/s`, " per second");
const percent = readingOf(number => `${shortNumber(number * 100)} %`, "");
const byteCount = readingOf(bytesText, " bytes");
const duration = readingOf(durationText, " s");

function bytesText(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let size = bytes;
  let unit = 0;
  while (Math.abs(size) >= 1023.5 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${shortNumber(size)} ${units[unit]}`;
}

function durationText(seconds) {
  const length = Math.abs(seconds);
  if (length === 0) return "0 s";
  if (length < 0.9995) return `${shortNumber(seconds * 1000)} ms`;
  if (length < 9.95) return `${shortNumbers.format(Math.round(seconds * 10) / 10)} s`;
  if (length < 119.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(length / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joinUnits(hours, "h", minutes % 60, "min");
  return joinUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

function joinUnits(large, largeUnit, small, smallUnit) {
  const text = `${wholeNumbers.format(large)} ${largeUnit}`;
  return small === 0 ? text : `${text} ${small} ${smallUnit}`;
}

/** How long ago something was, by the clock of lkpush. */
function age(time, now, tone = "") {
  const seconds = asTime(time);
  if (seconds === null) return { text: "never", exact: "", tone: "quiet" };
  return { text: ageText(now - seconds), exact: timeText(seconds), tone, time: seconds };
}

function ageText(seconds) {
  // The clocks of two machines are never quite the same.
  if (seconds > -1 && seconds < 1) return "just now";
  return seconds < 0 ? `in ${durationText(-seconds)}` : `${durationText(Math.floor(seconds))} ago`;
}

/** Whether something happened in the time of the plots. Totals outlive restarts, so only what is recent is news. */
function isRecent(time, now) {
  const seconds = asTime(time);
  return seconds !== null && now - seconds < 900;
}

/** A time as logs write it. */
function timeText(seconds) { return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`; }

function clockText(seconds) { return new Date(seconds * 1000).toISOString().slice(11, 19); }

/** A number with the unit that the name of its field ends with. */
function numberByName(name, value) {
  if (name.endsWith("_bytes")) return byteCount(value);
  if (name.endsWith("_per_second")) return perSecond(value);
  if (name.endsWith("_seconds")) return duration(value);
  return name.endsWith("_ratio") ? percent(value) : count(value);
}

/** A name such as `rows_waiting` or `commit_seconds` as words. */
function wordsOfName(name) {
  const words = visible(name).replace(/_(timestamp_seconds|seconds|bytes|total|ratio)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** 1 problem, 2 problems. */
function plural(number, one) { return `${wholeNumbers.format(number)} ${one}${number === 1 ? "" : "s"}`; }
