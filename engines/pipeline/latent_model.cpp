// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/latent_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/pipeline/process_memory.h"
#include "engines/tensor/error.h"

namespace engines {
namespace {

constexpr std::int64_t kColours = 3;
constexpr std::uint64_t kLatentCopies = 8;  // noise, predictions, velocity and what a sampler keeps
constexpr std::uint64_t kInitCopies = 3;    // latents of an image to begin with, their noise and the mask

// What is resident beside weights, once the kernels were used. Opening has read pages of the files, which are
// counted with the weights. Rounded up: what the system happens to have paged in of the program differs from
// run to run, and the same request is to be judged in the same way.
std::uint64_t measured_process(PromptEncoder& encoder, Denoiser& denoiser, const AutoencoderKL& vae,
                               const Kernels& kernels) {
  constexpr std::uint64_t kStep = std::uint64_t{2} << 20;
  encoder.component().release();
  denoiser.component().release();
  vae.weights().forget();
  return (resident_bytes() + kernels.scratch_bytes() + kStep - 1) / kStep * kStep;
}

}  // namespace

void require_equal(std::string_view field, std::int64_t value, std::string_view other,
                   std::int64_t expected) {
  if (value == expected) return;
  throw Error(RH_MODEL_INVALID,
              fmt::format("{}: {} does not fit {}, expected {}", field, value, other, expected));
}

LatentModel::LatentModel(std::string the_architecture, const std::filesystem::path& directory,
                         Kernels& the_kernels, const PipelineOptions& options,
                         std::unique_ptr<PromptEncoder> the_encoder, std::unique_ptr<Denoiser> the_denoiser)
    : architecture(std::move(the_architecture)),
      kernels(the_kernels),
      memory(options.memory),
      scheduler(SchedulerConfig::read(directory / "scheduler" / "scheduler_config.json",
                                      "scheduler/scheduler_config.json")),
      encoder(std::move(the_encoder)),
      denoiser(std::move(the_denoiser)),
      vae(directory / "vae", kernels.exact()),
      process_bytes(measured_process(*encoder, *denoiser, vae, kernels)) {
  memory.usual_decode_budget = kDecodeBudget;
  require_equal("vae/config.json: latent_channels", vae.config().latent_channels,
                "the latents of transformer/config.json", denoiser->channels());
  require_equal("vae/config.json: out_channels", vae.config().out_channels, "the pipeline", kColours);
}

MemoryPlan LatentModel::plan(const ImageRequest& request, std::size_t positive_tokens,
                             std::size_t negative_tokens) const {
  return plan_memory(needs(request, positive_tokens, negative_tokens), memory,
                     fmt::format("an image of {}x{}", request.width, request.height));
}

MemoryNeeds LatentModel::needs(const ImageRequest& request, std::size_t positive_tokens,
                               std::size_t negative_tokens) const {
  const std::int64_t height = request.height, width = request.width;
  const std::int64_t h = height / pixels_per_latent();
  const std::int64_t w = width / pixels_per_latent();
  const auto pixels = static_cast<std::uint64_t>(height * width);
  const auto latents = static_cast<std::uint64_t>(denoiser->channels() * h * w) * sizeof(float);
  const std::uint64_t image = 2 * kColours * pixels * sizeof(float);  // planes, then interleaved
  const auto session = [&](std::size_t tokens) {
    return tokens == 0 ? Denoiser::ActivationBytes{}
                       : denoiser->activation_bytes(encoder->rows(tokens), h, w);
  };
  const auto positive = session(positive_tokens);
  const auto negative = session(negative_tokens);

  MemoryNeeds needs;
  needs.process = process_bytes;
  const auto constant = [](std::uint64_t bytes) { return [bytes](std::uint64_t) { return bytes; }; };
  std::uint64_t encoding = encoder->activation_bytes(std::max(positive_tokens, negative_tokens));
  std::uint64_t begun = 0;  // what comes of the image to begin with
  if (request.init) {
    encoding = std::max<std::uint64_t>(encoding, encode_bytes(vae.config(), height, width) + image / 2);
    begun = kInitCopies * latents;
  }
  needs.stages = {
      {"encode", constant(encoding + begun)},
      {"denoise", constant(positive.kept + negative.kept + std::max(positive.scratch, negative.scratch) +
                           kLatentCopies * latents + begun)},
      {"decode",
       [config = vae.config(), height, width](std::uint64_t budget) {
         return decode_bytes(config, height, width, static_cast<std::size_t>(budget));
       },
       image}};
  const std::uint64_t decoder = vae.weights().bytes_under("decoder.");
  needs.components = {{"text_encoder", encoder->component().bytes(), encode},
                      {"transformer", denoiser->component().bytes(), denoise},
                      {"vae", {decoder, decoder}, decode, /*small=*/true}};
  if (request.init) {
    const std::uint64_t bytes = vae.weights().bytes_under("encoder.");
    needs.components.push_back({"vae encoder", {bytes, bytes}, encode, /*small=*/true});
  }
  return needs;
}

}  // namespace engines
