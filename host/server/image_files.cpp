// SPDX-License-Identifier: Apache-2.0
#include "host/server/image_files.h"

#include <utility>

#include "host/images/encode_image.h"

namespace roundhouse::host {

std::string image_file(const Image& image, const ImageEncoding& encoding, const ImageTexts& texts) {
  const std::vector<std::uint8_t> bytes = encode_image(image, encoding, texts);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> make_image_files(const Services& services, http::Exchange& exchange,
                                          const GenerateRequest& request, std::optional<KeepAlive> keep_alive,
                                          const ImageFileEvents& events, const ImageFileForm& form,
                                          PreviewRate previews) {
  Generation made;  // so far: what an image's record needs
  GenerationEvents generation;
  bool begun = false;
  const auto begin = [&] {
    if (!std::exchange(begun, true) && events.begun) events.begun(made.plan, made.lease);
  };
  generation.planned = [&](const GeneratePlan& plan) { made.plan = plan; };
  // May come twice: for a worker that had died while it was idle, and for the next.
  generation.loaded = [&](const LeaseReport& lease) {
    made.lease = lease;
    made.plan.engine = lease.placement.engine;
  };
  generation.progress = [&](const StepEvent& event) {
    begin();
    if (events.progress) events.progress(event);
  };
  if (events.preview) {
    generation.preview = [&](std::uint32_t image, const PreviewEvent& event) {
      begin();
      events.preview(image, event);
    };
  }
  generation.image = [&](std::uint32_t image, std::uint64_t seed, const ImageResult& result) {
    begin();
    made.images.assign(1, {seed, result});
    ImageFile file{made.record(0, services.version), {}, {}};
    for (const StageTiming& stage : result.stages) {
      if (auto note = long_prompt_note(stage, made.plan.job.negative_prompt))
        file.notes.push_back(std::move(*note));
    }
    file.bytes =
        image_file(result.image, form.encoding, form.metadata ? metadata_texts(file.record) : ImageTexts{});
    if (events.image) events.image(image, file);
  };
  return generate_images(services, exchange, request, keep_alive, generation, previews).plan.notes;
}

}  // namespace roundhouse::host
