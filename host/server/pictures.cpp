// SPDX-License-Identifier: Apache-2.0
#include "host/server/pictures.h"

namespace roundhouse::host {

std::string png_file(const Image& picture, const PngTexts& texts) {
  const std::vector<std::uint8_t> bytes = encode_png(picture, texts);
  return {bytes.begin(), bytes.end()};
}

void tell_engine(http::Exchange& exchange, const GeneratePlan& plan) {
  exchange.header("X-Roundhouse-Engine", plan.engine);
  exchange.header("X-Roundhouse-Model", name_of(plan.model));
}

std::vector<std::string> make_picture_files(const Services& services, http::Exchange& exchange,
                                            const GenerateRequest& request,
                                            std::optional<KeepAlive> keep_alive, const PictureEvents& events,
                                            PreviewRate previews) {
  Generation made;  // so far: what a picture's record needs
  GenerationEvents generation;
  generation.planned = [&](const GeneratePlan& plan) { made.plan = plan; };
  generation.loaded = [&](const LeaseReport& lease) {
    made.lease = lease;
    made.plan.engine = lease.placement.engine;
    if (events.begun) events.begun(made.plan);
  };
  generation.progress = events.progress;
  generation.preview = events.preview;
  generation.image = [&](std::uint32_t image, std::uint64_t seed, const ImageResult& result) {
    made.images.assign(1, {seed, result});
    PictureFile file{made.record(0, services.version), {}};
    file.png = png_file(result.image, metadata_texts(file.record));
    if (events.picture) events.picture(image, file);
  };
  return generate_pictures(services, exchange, request, keep_alive, generation, previews).plan.notes;
}

}  // namespace roundhouse::host
