// SPDX-License-Identifier: Apache-2.0
// The flags of `roundhouse generate`, as typed, and the request they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/cli/daemon_client.h"
#include "host/cli/engine_flags.h"
#include "host/cli/flags.h"
#include "host/images/image_format.h"
#include "host/session/session.h"

namespace roundhouse::host {

// Texts are kept as given; to_request reads the numbers.
struct GenerateFlags : EngineFlags {
  std::optional<std::string> prompt, prompt_file, negative_prompt;
  std::optional<std::string> steps, guidance, cfg_normalization, cfg_truncation;
  std::optional<std::string> long_prompt;
  std::optional<std::string> width, height, aspect, images, seed, sampler, schedule;
  std::optional<std::string> init_image, mask, strength;      // files, and how far from them
  std::optional<std::string> dtype_te, dtype_dit, dtype_vae;  // of encoder, transformer and autoencoder alone
  std::string output_directory = "output";
  std::optional<std::string> format, quality;  // of the files
  bool estimate = false;
  bool log_prompts = false;
  bool no_metadata = false;
  DaemonFlags daemon;  // where another makes the image
};

void declare_generate_flags(FlagTable& command, GenerateFlags& flags);
// Those of them that change numbers, for commands that look into a run.
void declare_traced_flags(FlagTable& command, GenerateFlags& flags);

// The bytes of an image's file. Throws IO_ERROR, and INVALID_ARGUMENT for one of more than 64 MiB, naming
// `flag`.
std::string read_image_file(const std::string& flag, const std::string& file);

// Throws INVALID_ARGUMENT for a value that is no number or a prompt that is given twice or not at all,
// IO_ERROR for a prompt file that cannot be read. Ranges and names are the session's to check.
GenerateRequest to_request(const GenerateFlags& flags);

// Throws INVALID_ARGUMENT for a format that is not written, and for a quality out of range or of a PNG, which
// loses nothing.
ImageEncoding image_encoding(const GenerateFlags& flags);

}  // namespace roundhouse::host
