// SPDX-License-Identifier: Apache-2.0
// The flags of `roundhouse generate`.
#include "host/cli/generate_options.h"

#include <fmt/format.h>

#include "host/cli/arguments.h"
#include "host/cli/input_text.h"
#include "host/session/init_image.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumPromptBytes = std::size_t{1} << 20;  // far beyond what any encoder reads

constexpr const char* kStepsRange = "1 to 50";
constexpr const char* kGuidanceRange = "0 to 20";
constexpr const char* kSizeRange = "a number of pixels that the model takes (see 'roundhouse models')";

constexpr std::size_t kMaximumImageBytes = std::size_t{64} << 20;  // what a daemon takes in one request

void take_init(const GenerateFlags& flags, GenerateRequest& request) {
  request.strength = parse_number("--strength", flags.strength, "more than 0, up to 1");
  if (flags.mask && !flags.init_image)
    throw Error(RH_INVALID_ARGUMENT, "--mask: is of an image to begin with, expected --init-image with it");
  if (!flags.init_image) return;
  auto init = std::make_shared<InitSource>(
      read_init_image(read_image_file("--init-image", *flags.init_image), "--init-image"));
  if (flags.mask) read_mask(*init, read_image_file("--mask", *flags.mask), "--mask");
  request.init = std::move(init);
}

std::string prompt_of(const GenerateFlags& flags) {
  if (flags.prompt && flags.prompt_file) {
    throw Error(RH_INVALID_ARGUMENT,
                "prompt: given as an argument and as --prompt-file, expected one of them");
  }
  if (flags.prompt_file) return read_input_text("prompt file", *flags.prompt_file, kMaximumPromptBytes);
  if (!flags.prompt) {
    throw Error(RH_INVALID_ARGUMENT, "prompt: is missing, expected a text or --prompt-file FILE");
  }
  return *flags.prompt;
}

void declare_stage_types(FlagTable& command, GenerateFlags& flags) {
  command.add("--dtype-te", "TYPE", "As --weights, for the text encoder alone", &flags.dtype_te);
  command.add("--dtype-dit", "TYPE", "As --weights, for the transformer alone", &flags.dtype_dit);
  command.add("--dtype-vae", "TYPE", "Of the autoencoder: f32, which it always works in", &flags.dtype_vae);
}

void declare_image_flags(FlagTable& command, GenerateFlags& flags) {
  command.group = "Image";
  command.add("--negative-prompt", "TEXT", "What to keep away from; needs guidance [default: none]",
              &flags.negative_prompt);
  command.add("--long-prompt", "WORD",
              "What becomes of a prompt that the model does not read to its end: cut (with a note) or error "
              "[default: cut]",
              &flags.long_prompt);
  command.add("--steps", "N", "Model evaluations, 1 to 50 [default: the model's, else 8]", &flags.steps);
  command.add("--guidance", "X", "0 to 20; 0 is off [default: the model's, else 0]", &flags.guidance);
  command.add("--cfg-normalization", "X",
              "At most X times the norm of the unguided prediction; 0 is off [default: the model's, else 0]",
              &flags.cfg_normalization);
  command.add(
      "--cfg-truncation", "X",
      "0 to 1: no guidance in the last part of the run beyond X; 1 is never [default: the model's, else "
      "1]",
      &flags.cfg_truncation);
  command.add("--width", "PX", "Width in pixels, within the model's limits [default: the model's]",
              &flags.width);
  command.add("--height", "PX", "Height in pixels, within the model's limits [default: the model's]",
              &flags.height);
  command.add("--aspect", "W:H",
              "1:1, 16:9, 9:16, 4:3, 3:4, 3:2 or 2:3: a size of that shape that suits the model",
              &flags.aspect);
  command.add("--init-image", "FILE",
              "Begin with this image (PNG, JPEG, WebP); its size is drawn where none is asked for",
              &flags.init_image);
  command.add("--strength", "X", "How far from --init-image: above 0, up to 1 [default: 0.6, with --mask 1]",
              &flags.strength);
  command.add("--mask", "FILE", "Draw only what is white in this image; the rest of --init-image stays",
              &flags.mask);
  command.add("--num-images", "N", "1 to 16; image i has seed + i [default: 1]", &flags.images);
  command.add("--seed", "N", "0 or more; -1 is random [default: -1]", &flags.seed);
  command.add("--sampler", "NAME",
              "One that the engine lists [default: the model's, else the engine's first]", &flags.sampler);
  command.add("--schedule", "NAME", "One that the engine lists [default: the sampler's]", &flags.schedule);
}

void declare_run_flags(FlagTable& command, GenerateFlags& flags) {
  command.group = "Run";
  command.add("--model", "NAME|DIR", "A model of 'roundhouse models', or a directory [default: pocket-turbo]",
              &flags.model);
  declare_engine_flags(command, flags, "image");
  declare_stage_types(command, flags);
  command.add("-o,--output-dir,--outdir", "DIR", "Where the files go [default: output]",
              &flags.output_directory);
  command.add("--format", "NAME", "Of the files: png, jpeg or webp [default: png]", &flags.format);
  command.add("--quality", "N", "Of jpeg and webp, 0 to 100 [default: 90]", &flags.quality);
  command.add("--no-metadata", "Write nothing but the image into the file", &flags.no_metadata);
  command.add("--estimate", "Say what memory and time it would take, and make nothing", &flags.estimate);
  command.add("--log-prompts", "Put prompts into the log; they never are otherwise", &flags.log_prompts);
}

}  // namespace

void declare_generate_flags(FlagTable& command, GenerateFlags& flags) {
  command.add("PROMPT", "", "What the image shows; put -- before one that starts with '-'", &flags.prompt);
  command.add("--prompt-file", "FILE", "Read the prompt from FILE, or from standard input with -",
              &flags.prompt_file);
  declare_image_flags(command, flags);
  declare_run_flags(command, flags);
  flags.daemon.declare(command, "Have the daemon at URL make the images [default: this program does]");
}

void declare_traced_flags(FlagTable& command, GenerateFlags& flags) {
  command.add("PROMPT", "", "What the image shows [default: that of the fixture, else a red fox]",
              &flags.prompt);
  command.add("--negative-prompt", "TEXT", "What to keep away from; needs guidance", &flags.negative_prompt);
  command.add("--model", "NAME|DIR", "A model of 'roundhouse models', or a directory [default: pocket-turbo]",
              &flags.model);
  command.add("--engine", "ID", "An engine of 'roundhouse engines' [default: auto]", &flags.engine);
  command.add("--threads", "N", "1 to 1024 [default: all processors that the program may use]",
              &flags.threads);
  command.add("--width", "PX", "Width in pixels, within the model's limits", &flags.width);
  command.add("--height", "PX", "Height in pixels, within the model's limits", &flags.height);
  command.add("--steps", "N", "Model evaluations, 1 to 50", &flags.steps);
  command.add("--guidance", "X", "0 to 20; 0 is off", &flags.guidance);
  command.add("--seed", "N", "0 or more [default: 0]", &flags.seed);
  command.add("--sampler", "NAME", "One that the engine lists", &flags.sampler);
  command.add("--schedule", "NAME", "One that the engine lists", &flags.schedule);
  command.add("--weights", "TYPE", "stored, q8_0, q4_0, q6_k or q4_k [default: stored]", &flags.weights);
  declare_stage_types(command, flags);
  command.add("--model-option", "NAME=VALUE", "An option of the engine for the model (repeatable)",
              &flags.model_options);
  command.add("--engine-option", "NAME=VALUE", "An option of the engine itself (repeatable)",
              &flags.engine_options);
}

GenerateRequest to_request(const GenerateFlags& flags) {
  GenerateRequest request;
  request.steps = parse_integer("--steps", flags.steps, kStepsRange);
  request.guidance = parse_number("--guidance", flags.guidance, kGuidanceRange);
  request.cfg_normalization = parse_number("--cfg-normalization", flags.cfg_normalization, "0 or more");
  request.cfg_truncation = parse_number("--cfg-truncation", flags.cfg_truncation, "0 to 1");
  const std::string long_prompt = flags.long_prompt.value_or("cut");
  if (long_prompt != "cut" && long_prompt != "error") {
    throw Error(RH_INVALID_ARGUMENT,
                "--long-prompt: '" + long_prompt + "' is not known, expected one of: cut, error");
  }
  request.refuse_long_prompt = long_prompt == "error";
  request.width = parse_integer("--width", flags.width, kSizeRange);
  request.height = parse_integer("--height", flags.height, kSizeRange);
  request.aspect = flags.aspect;
  if (flags.images) request.images = parse_integer("--num-images", *flags.images, "1 to 16");
  request.seed = parse_integer("--seed", flags.seed, "-1 or 0 to 9223372036854775807");
  request.sampler = flags.sampler;
  request.schedule = flags.schedule;
  request.negative_prompt = flags.negative_prompt;
  read_engine_flags(flags, request);
  const std::pair<const char*, const std::optional<std::string>&> stages[] = {
      {"dtype_te", flags.dtype_te}, {"dtype_dit", flags.dtype_dit}, {"dtype_vae", flags.dtype_vae}};
  for (const auto& [name, value] : stages) {
    if (value)
      request.model_options.push_back(
          parse_engine_option("--model-option", std::string(name) + "=" + *value));
  }
  take_init(flags, request);
  request.prompt = prompt_of(flags);  // last: it may wait for standard input
  return request;
}

std::string read_image_file(const std::string& flag, const std::string& file) {
  // "-" is a file like others: standard input may be the prompt's.
  return read_input(flag, file == "-" ? "./-" : file, kMaximumImageBytes);
}

ImageEncoding image_encoding(const GenerateFlags& flags) {
  ImageEncoding encoding;
  if (flags.format) {
    const auto format = image_format(*flags.format);
    if (!format) {
      throw Error(
          RH_INVALID_ARGUMENT,
          fmt::format("--format: '{}' is not known, expected one of: png, jpeg, webp", *flags.format));
    }
    encoding.format = *format;
  }
  if (!flags.quality) return encoding;
  encoding.quality = static_cast<int>(parse_integer("--quality", *flags.quality, 0, 100));
  if (encoding.format == ImageFormat::png)
    throw Error(RH_INVALID_ARGUMENT,
                "--quality: is of jpeg and webp, expected --format jpeg or webp with it");
  return encoding;
}

}  // namespace roundhouse::host
