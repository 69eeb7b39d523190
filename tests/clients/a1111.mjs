// SPDX-License-Identifier: Apache-2.0
// The requests of clients of Stable Diffusion web UI, in their order: node a1111.mjs http://127.0.0.1:PORT
import assert from "node:assert/strict";
import { eventually, generated, pngOfText, run, samePixels } from "./common.mjs";

const url = process.argv[2];
const prompt = "a purple castle in the mountains at sunset";
const small = { prompt, width: 64, height: 64, steps: 2, seed: 7, cfg_scale: 1, sampler_name: "Euler" };
const generatedSmall = (...words) =>
  generated(prompt, "--width", "64", "--height", "64", "--steps", "2", "--seed", "7", ...words);

async function ask(method, path, body, status = 200) {
  const response = await fetch(`${url}/sdapi/v1/${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const json = await response.json();
  assert.equal(response.status, status, `${path}: ${JSON.stringify(json)}`);
  return json;
}
const get = (path) => ask("GET", path);
const post = (path, body, status) => ask("POST", path, body, status);

async function refused(path, body, status, code, text) {
  const json = await post(path, body, status);
  assert.equal(json.error, code);
  assert.match(json.detail, text);
  assert.equal(json.body, "");
  assert.equal(typeof json.errors, "string");
}

async function whatClientsReadAtStart() {
  assert.equal((await get("options")).sd_model_checkpoint, "pocket-turbo");
  const samplers = (await get("samplers")).map((sampler) => sampler.name);
  assert.ok(samplers.includes("Euler") && samplers.includes("DPM++ 2M"), `${samplers}`);
  const schedulers = (await get("schedulers")).map((scheduler) => scheduler.name);
  assert.ok(schedulers.includes("automatic") && schedulers.includes("karras"), `${schedulers}`);
  const models = await get("sd-models");
  assert.ok(models.some((model) => model.title === "pocket-base" && model.model_name === "pocket-base"));
  assert.equal((await get("upscalers"))[0].name, "None");
  for (const path of ["loras", "sd-vae", "latent-upscale-modes", "hypernetworks", "prompt-styles"])
    assert.deepEqual(await get(path), []);
  assert.deepEqual(await get("embeddings"), { loaded: {}, skipped: {} });
  assert.ok((await get("memory")).ram.total > 1e8);
  assert.equal((await get("cmd-flags")).api, true);
  await post("refresh-checkpoints", {});
  const idle = await get("progress?skip_current_image=false");
  assert.equal(idle.progress, 0);
  assert.equal(idle.state.job_count, 0);
  assert.equal(idle.current_image, null);
}

async function images() {
  const answer = await post("txt2img", { ...small, batch_size: 2, n_iter: 1 });
  assert.equal(answer.images.length, 2);
  assert.equal(answer.parameters.seed, 7);
  const info = JSON.parse(answer.info);
  assert.deepEqual(info.all_seeds, [7, 8]);
  assert.equal(info.sampler_name, "Euler");
  assert.equal(info.sd_model_name, "pocket-turbo");
  assert.equal(info.infotexts.length, 2);
  const expected = generatedSmall("--num-images", "2");
  answer.images.forEach((text, i) => {
    const image = pngOfText(text);
    samePixels(image, expected[i], `image ${i}`);
    assert.equal(info.infotexts[i], image.texts.parameters);
    assert.equal(image.texts.parameters, expected[i].texts.parameters);
  });
}

async function guidanceIsTranslated() {
  const request = { ...small, cfg_scale: 5, negative_prompt: "rain", override_settings: { sd_model_checkpoint: "pocket-base" } };
  const answer = await post("txt2img", request);
  const info = JSON.parse(answer.info);
  assert.equal(info.cfg_scale, 5);
  assert.equal(info.sd_model_name, "pocket-base");
  assert.match(info.infotexts[0], /Negative prompt: rain\n.*CFG scale: 5,/);
  const expected = generatedSmall("--model", "pocket-base", "--guidance", "4", "--negative-prompt", "rain");
  samePixels(pngOfText(answer.images[0]), expected[0], "cfg_scale 5 is guidance 4");
  const off = await post("txt2img", { ...small, cfg_scale: 0.5 });
  samePixels(pngOfText(off.images[0]), generatedSmall("--guidance", "0")[0], "less than off is off");
}

async function engineBySuffixAndField() {
  const expected = generatedSmall("--engine", "reference")[0];
  for (const override_settings of [{ sd_model_checkpoint: "pocket-turbo+reference" }, { engine: "reference" }]) {
    const answer = await post("txt2img", { ...small, override_settings });
    assert.equal(JSON.parse(answer.info).engine, "reference");
    samePixels(pngOfText(answer.images[0]), expected, JSON.stringify(override_settings));
  }
  assert.equal((await get("options")).sd_model_checkpoint, "pocket-turbo", "settings of one request are gone after it");
}

async function samplersAndSizes() {
  const answer = await post("txt2img", { ...small, sampler_name: "Euler Karras", width: 79, height: 70 });
  const info = JSON.parse(answer.info);
  assert.equal(info.sampler_name, "Euler");
  assert.match(info.infotexts[0], /Sampler: Euler, Schedule type: karras/);
  assert.deepEqual([info.width, info.height], [64, 64]);
  const modern = await post("txt2img", { ...small, sampler_name: "k_euler", scheduler: "Karras" });
  samePixels(pngOfText(modern.images[0]), pngOfText(answer.images[0]), "both ways to name a schedule");
  const other = await post("txt2img", { ...small, sampler_name: "DPM++ 2M" });
  samePixels(pngOfText(other.images[0]), generatedSmall("--sampler", "dpmpp-2m")[0], "sampler");
}

async function theModelOfAllRequests() {
  await post("options", { sd_model_checkpoint: "pocket-base+reference", other_setting: 1 });
  assert.equal((await get("options")).sd_model_checkpoint, "pocket-base+reference");
  const info = JSON.parse((await post("txt2img", small)).info);
  assert.equal(`${info.sd_model_name} ${info.engine}`, "pocket-base reference");
  await refused("options", { sd_model_checkpoint: "nobody" }, 404, "MODEL_NOT_FOUND", /nobody/);
  await post("options", { sd_model_checkpoint: "pocket-turbo" });
}

const long = { prompt, width: 256, height: 256, steps: 50, override_settings: { engine: "reference" } };

async function progressWhileItRuns() {
  const work = post("txt2img", { ...long, n_iter: 2 });
  const seen = await eventually("a step", async () => {
    const now = await get("progress");
    return now.state.sampling_step > 0 ? now : undefined;
  });
  assert.ok(seen.progress > 0 && seen.progress < 1);
  assert.equal(seen.state.job, "txt2img");
  assert.equal(seen.state.job_count, 2);
  assert.equal(seen.state.sampling_steps, 50);
  assert.match(seen.state.job_timestamp, /^\d{14}$/);
  // Not every engine makes previews.
  if (seen.current_image !== null) assert.ok(pngOfText(seen.current_image).width > 0);
  assert.equal((await get("progress?skip_current_image=true")).current_image, null);
  assert.deepEqual(await post("interrupt"), {});
  const answer = await work;
  assert.deepEqual(answer.images, [], "none was finished");
  assert.equal(JSON.parse(answer.info).interrupted, true);
  await eventually("nothing is at work", async () => (await get("progress")).state.job_count === 0);
}

async function skipping() {
  const work = post("txt2img", { ...small, steps: 50, n_iter: 2, width: 128, height: 128, override_settings: { engine: "reference" } });
  await eventually("the first image is at work", async () => (await get("progress")).state.sampling_step > 0);
  await post("skip");
  await eventually("the second image is at work", async () => {
    const { state } = await get("progress");
    return state.job_no === 1 && state.sampling_step > 0;
  });
  await post("interrupt");
  assert.deepEqual((await work).images, []);
  assert.deepEqual(await post("skip"), {}, "with nothing at work");
}

async function textsOfImages() {
  const answer = await post("txt2img", { ...small, prompt: `${prompt}, "quoted": yes` });
  for (const image of [answer.images[0], `data:image/png;base64,${answer.images[0]}`]) {
    const found = await post("png-info", { image });
    assert.equal(found.info, JSON.parse(answer.info).infotexts[0]);
    assert.equal(found.items.parameters, found.info);
    assert.equal(JSON.parse(found.items.roundhouse).seed, 7);
    assert.equal(found.parameters.Prompt, `${prompt}, "quoted": yes`);
    assert.equal(found.parameters.Seed, "7");
    assert.equal(found.parameters["Size-1"], "64");
  }
  await refused("png-info", { image: "" }, 400, "INVALID_ARGUMENT", /base64/);
  await refused("png-info", { image: "aGVsbG8=" }, 400, "INVALID_ARGUMENT", /not a PNG/);
  await refused("png-info", {}, 400, "INVALID_ARGUMENT", /image: is missing/);
}

async function mistakes() {
  const wrong = (extra, status, code, text) => refused("txt2img", { ...small, ...extra }, status, code, text);
    await wrong({ steps: 151 }, 400, "INVALID_ARGUMENT", /steps: 151/);
  await wrong({ steps: "many" }, 400, "INVALID_ARGUMENT", /steps/);
  await wrong({ cfg_scale: 30 }, 400, "INVALID_ARGUMENT", /guidance/);
  await wrong({ batch_size: 4, n_iter: 5 }, 400, "INVALID_ARGUMENT", /20 images/);
  await wrong({ batch_size: 0 }, 400, "INVALID_ARGUMENT", /batch_size/);
  await wrong({ width: 4096 }, 400, "INVALID_DIMENSION", /width: 4096/);
  await wrong({ width: 8 }, 400, "INVALID_DIMENSION", /width: 8/);
  await wrong({ width: 2 ** 63 }, 400, "INVALID_ARGUMENT", /width/);
  await wrong({ sampler_name: "Heun" }, 404, "INVALID_ARGUMENT", /sampler_name: 'Heun'.*Euler/);
  await wrong({ override_settings: { sd_model_checkpoint: "nobody" } }, 404, "MODEL_NOT_FOUND", /nobody/);
  await wrong({ override_settings: { engine: "nobody" } }, 404, "ENGINE_NOT_FOUND", /nobody/);
  await wrong({ enable_hr: true }, 422, "CAPABILITY_UNSUPPORTED", /enable_hr/);
  await wrong({ alwayson_scripts: { ControlNet: {} } }, 422, "CAPABILITY_UNSUPPORTED", /ControlNet/);
  await wrong({ prompt: "a cat <lora:neon:1>" }, 422, "LORA_UNSUPPORTED_ENGINE", /<lora/);
  const image = (await post("txt2img", small)).images[0];
  await refused("img2img", { ...small, init_images: [image, image] }, 400, "INVALID_ARGUMENT", /several/);
  await refused("img2img", { ...small, init_images: [image], mask: "AAAA" }, 400, "INVALID_ARGUMENT", /^mask: is not a PNG/);
  await refused("img2img", { ...small }, 400, "INVALID_ARGUMENT", /init_images/);
  await refused("img2img", { ...small, init_images: ["%"] }, 400, "INVALID_ARGUMENT", /init_images/);
  await ask("GET", "nothing", undefined, 404);
  await ask("GET", "txt2img", undefined, 405);
}

async function imagesFromImages() {
  const first = (await post("txt2img", small)).images[0];
  const body = { ...small, prompt: "a blue cup", init_images: [first], denoising_strength: 0.5, steps: 4 };
  const answer = await post("img2img", body);
  assert.equal(answer.images.length, 1);
  assert.equal(answer.parameters.init_images, null);
  const info = JSON.parse(answer.info);
  assert.equal(info.denoising_strength, 0.5);
  assert.match(info.infotexts[0], /Denoising strength: 0.5/);
  assert.deepEqual((await post("img2img", body)).images, answer.images);
  const masked = await post("img2img", { ...body, mask: first, inpainting_mask_invert: 1, mask_blur: 4 });
  assert.notDeepEqual(masked.images, answer.images);
  assert.match(JSON.parse(masked.info).notes.join(), /mask_blur/);
  assert.match(JSON.parse(masked.info).infotexts[0], /Mask: yes/);
  const sized = { ...body, width: undefined, height: undefined };
  assert.equal(JSON.parse((await post("img2img", sized)).info).width, 64);
}

async function seedsAreTold() {
  const answer = await post("txt2img", { ...small, seed: -1, send_images: false, styles: ["x"], save_images: true });
  assert.deepEqual(answer.images, []);
  const info = JSON.parse(answer.info);
  assert.ok(Number.isInteger(info.seed) && info.seed >= 0);
  assert.match(info.notes.join(), /styles/);
}

await run([
  whatClientsReadAtStart,
  images,
  guidanceIsTranslated,
  engineBySuffixAndField,
  samplersAndSizes,
  theModelOfAllRequests,
  progressWhileItRuns,
  skipping,
  textsOfImages,
  imagesFromImages,
  mistakes,
  seedsAreTold,
]);
