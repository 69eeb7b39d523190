// SPDX-License-Identifier: Apache-2.0
// Writes stages.json: what Hugging Face's own library (npm `tokenizers`) makes of hard texts with each kind of stage.
//   npm install tokenizers@0.23.2 && node make_stages.mjs OUT
// The common model has no merges, and writes the characters that continue a piece with "##": so its ids show where
// pieces begin.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
const { Tokenizer } = createRequire(path.join(process.cwd(), 'x.mjs'))('tokenizers');

const texts = [
  '', ' ', 'Hello, World!', '  two  spaces \t\n end ', "don't I'LL 's", 'caf\u00e9 cafe\u0301 \u00c5ngstr\u00f6m \u0130',
  '\u65e5\u672c\u8a9e\u3001x \ufb01 \u00bd \u2167', 'a\u0000b\u0001\u200b\ufeff\ufffd\u00ad\u0378\ue000', '12 345x6 \u0663\u0664', 'x_y-z/w $5+=^',
  '\u2581a \u2581 b', '<t>a <t> bzz<T>', '\ud83d\ude00\ud83d\udc69\u200d\ud83d\udc67!', 'a--b...c', '\u00a0n\u3000w\u2028x\u0085', '\u24b6\u203f\u0915\u094d\u0937 \u1e9b\u0323',
];

function characters() {
  const set = new Set();
  for (let c = 0x21; c < 0x7f; c++) set.add(String.fromCharCode(c));
  for (let c = 0xa1; c < 0x144; c++) set.add(String.fromCharCode(c));
  for (const text of texts)
    for (const form of [text, text.normalize('NFD'), text.normalize('NFKD'), text.normalize('NFKC')])
      for (const c of form + form.toLowerCase()) set.add(c);
  return ['[UNK]', ...[...set, '\u2581'].filter((c, i, all) => all.indexOf(c) === i).sort()];
}
const first = characters();
const vocab = Object.fromEntries([...first, ...first.slice(1).map((c) => '##' + c)].map((token, id) => [token, id]));
const model = { type: 'BPE', vocab, merges: [], unk_token: '[UNK]', continuing_subword_prefix: '##' };
const next = Object.keys(vocab).length;

const seq = (list, ...parts) => ({ type: 'Sequence', [list]: parts });
const split = (pattern, behavior, invert = false) => ({ type: 'Split', pattern, behavior, invert });
const replace = (pattern, content) => ({ type: 'Replace', pattern, content });
const added = (content, flags, at = 0) => ({ id: next + at, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...flags });

const normalizers = [
  ...['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel'].map((type) => ({ type })),
  { type: 'Strip', strip_left: true, strip_right: false }, { type: 'Strip', strip_left: false, strip_right: true },
  { type: 'Prepend', prepend: '\u2581' }, replace({ String: ' ' }, '\u2581'), replace({ Regex: '\\s+' }, '_'), replace({ Regex: '[0-9]*' }, 'N'),
  { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: false, strip_accents: null, lowercase: false },
  { type: 'BertNormalizer', clean_text: false, handle_chinese_chars: true, strip_accents: true, lowercase: false },
  seq('normalizers', { type: 'NFD' }, { type: 'StripAccents' }, { type: 'Lowercase' }), seq('normalizers'),
];
const metaspace = (prepend_scheme, split_) => ({ type: 'Metaspace', replacement: '\u2581', prepend_scheme, split: split_ });
const pre_tokenizers = [
  ...['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'].flatMap((b) => [split({ String: ' ' }, b), split({ Regex: '[a-z]' }, b, true)]),
  ...['Removed', 'Isolated', 'Contiguous'].map((behavior) => ({ type: 'Punctuation', behavior })),
  { type: 'Whitespace' }, { type: 'WhitespaceSplit' }, { type: 'BertPreTokenizer' }, { type: 'Digits', individual_digits: true }, { type: 'Digits', individual_digits: false },
  { type: 'CharDelimiterSplit', delimiter: '-' }, { type: 'FixedLength', length: 3 },
  { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }, { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  metaspace('always', true), metaspace('first', true), metaspace('never', true), metaspace('first', false),
  { type: 'Metaspace', replacement: '\u2581', add_prefix_space: true },
  seq('pretokenizers', { type: 'WhitespaceSplit' }, metaspace('always', true)), seq('pretokenizers', { type: 'WhitespaceSplit' }, metaspace('first', true)),
  seq('pretokenizers', { type: 'Digits', individual_digits: true }, { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }),
  split({ Regex: '\\p{L}+|\\p{N}{1,3}|[^\\s\\p{L}]|\\s+(?!\\S)' }, 'Isolated'), split({ Regex: '(?i:T)' }, 'MergedWithPrevious'),
];
const decoders = [
  { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }, { type: 'Fuse' }, { type: 'ByteFallback' },
  { type: 'WordPiece', prefix: '##', cleanup: true }, { type: 'WordPiece', prefix: '##', cleanup: false }, { type: 'BPEDecoder', suffix: 'e' },
  metaspace('always', true), metaspace('never', true), { type: 'CTC', pad_token: 'o', word_delimiter_token: 'w', cleanup: true },
  { type: 'Strip', content: 'd', start: 1, stop: 0 },  // the library panics on some tokens where stop is more
  seq('decoders', { type: 'WordPiece', prefix: '##', cleanup: false }, { type: 'Fuse' }, { type: 'Strip', content: 'H', start: 2, stop: 0 }),
  seq('decoders', replace({ String: '##' }, ''), replace({ Regex: '[aeiou]' }, '*'), { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 2, stop: 0 }),
];
const tokens = ['lstrip', 'rstrip', 'single_word', 'normalized', 'special'].map((flag) => [added('<t>', { [flag]: true })]);
const template = { type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'x', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: 'y', type_id: 0 } }],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { x: { id: 'x', ids: [5, 6], tokens: ['x', 'x'] }, y: { id: 'y', ids: [7], tokens: ['y'] } } };
const processors = [template, { type: 'BertProcessing', sep: ['a', 5], cls: ['b', 6] }, { type: 'RobertaProcessing', sep: ['a', 5], cls: ['b', 6], trim_offsets: true, add_prefix_space: false },
  seq('processors', { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }, template)];

const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
const pieces = (list) => Object.fromEntries(list.map((token, id) => [token, id]));
const sentence = { normalizer: seq('normalizers', { type: 'Prepend', prepend: '\u2581' }, replace({ String: ' ' }, '\u2581')),
  decoder: seq('decoders', replace({ String: '\u2581' }, ' '), { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }) };
const letters = [...'\u2581abcdelorHWnx.'];
const merges = [['\u2581', 'a'], ['l', 'l'], ['o', '\u2581'], ['e', 'll'], ['l', 'd'], ['n', 'd']];
const bpe = (options, list = letters) => ({ type: 'BPE', vocab: pieces([...list, '\u2581a', 'll', 'o\u2581', 'ell', 'ld', 'nd', ...(options.extra ?? [])]), merges, ...options, extra: undefined });
const unigram = (options, extra = []) => ({ type: 'Unigram', unk_id: 0, vocab: [['<unk>', 0], ['\u2581', -2.5], ['a', -3], ['b', -3.5], ['ab', -6], ['\u2581a', -4.25], ['bc', -5], ['c', -4], ['abc', -7.5], ['e', -3], ['l', -3.25], ['ll', -5.5], ['ell', -6], ['o', -3], ...extra], ...options });
const models = [
  { model: bpe({ unk_token: '<unk>', byte_fallback: true, fuse_unk: true, extra: ['<unk>', ...bytes] }), ...sentence },
  { model: bpe({ unk_token: '<unk>', byte_fallback: true, fuse_unk: true, extra: ['<unk>', ...bytes.slice(0, 0xd0)] }), ...sentence },
  { model: bpe({ unk_token: '<unk>', fuse_unk: true, extra: ['<unk>'] }), ...sentence },
  { model: bpe({ unk_token: '<unk>', fuse_unk: false, extra: ['<unk>'] }), ...sentence },
  { model: bpe({}), ...sentence },
  { model: bpe({ ignore_merges: true, extra: ['Hello,', '\u2581Hello,', 'World!'] }), pre_tokenizer: { type: 'WhitespaceSplit' } },
  { model: { type: 'BPE', vocab: pieces([...'abcdlonWx', 'd</w>', 'b</w>', 'n</w>', 'nd</w>', 'a</w>', '<unk>']), merges: ['n d</w>'], unk_token: '<unk>', end_of_word_suffix: '</w>' }, pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: { type: 'BPEDecoder', suffix: '</w>' } },
  { model: unigram({}), pre_tokenizer: metaspace('always', true), decoder: metaspace('always', true) },
  { model: unigram({ byte_fallback: true }, bytes.map((b) => [b, -9])), ...sentence },
  { model: unigram({ byte_fallback: false }), normalizer: replace({ Regex: ' {2,}' }, ' '), decoder: metaspace('never', true) },
  { model: { type: 'WordPiece', vocab: pieces(['[UNK]', 'hello', 'he', '##llo', 'world', 'w', '##or', '##ld', ',', '!', 'two', 'space', '##s', 'end', 'a', '##b', 'x', '.', '-', 'caf', 'cafe', '##e', '\u65e5', '[CLS]', '[SEP]']), unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 8 },
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true }, pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 24], cls: ['[CLS]', 23] }, added_tokens: [{ ...added('[CLS]', { special: true }), id: 23 }, { ...added('[SEP]', { special: true }), id: 24 }] },
  { model: { type: 'WordLevel', vocab: pieces(['<unk>', 'Hello', 'World', 'a', 'b', ',']), unk_token: '<unk>' }, pre_tokenizer: { type: 'Whitespace' } },
];

const cases = [
  ...normalizers.map((normalizer) => ({ normalizer })), ...pre_tokenizers.map((pre_tokenizer) => ({ pre_tokenizer })), ...decoders.map((decoder) => ({ decoder })),
  ...tokens.map((added_tokens) => ({ added_tokens, normalizer: { type: 'Lowercase' } })), ...processors.map((post_processor) => ({ post_processor })),
  { added_tokens: [added('<t>', { special: true }), added('zz', { normalized: true }, 1)], normalizer: sentence.normalizer, pre_tokenizer: metaspace('first', true) }, ...models,
];
const out = { model, texts, cases: [] };
const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'stages-')), 'tokenizer.json');
for (const stages of cases) {
  const json = { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, model, ...stages };
  fs.writeFileSync(file, JSON.stringify(json));
  let tokenizer;
  try { tokenizer = Tokenizer.fromFile(file); } catch (error) { console.error('refused', JSON.stringify(stages).slice(0, 200), String(error)); continue; }
  const rows = [];
  for (const text of texts) {
    const ids = (await tokenizer.encode(text)).getIds();
    rows.push({ ids, decoded: await tokenizer.decode(ids, false), skipped: await tokenizer.decode(ids, true) });
  }
  out.cases.push({ stages, rows });
}
fs.writeFileSync(process.argv[2], JSON.stringify(out) + '\n');
console.log(out.cases.length, 'cases');
