// SPDX-License-Identifier: Apache-2.0
#include "host/app/generate.h"

#include "host/images/encode_image.h"
#include "host/output/image_file.h"
#include "host/text/elapsed.h"

namespace roundhouse::host {

ImageMetadata image_record(const GeneratePlan& plan, const OpenResult& opened, std::uint64_t seed,
                           const std::string& version) {
  ImageMetadata record;
  record.job = plan.job;
  record.job.seed = seed;
  record.engine = opened.engine.id;
  record.engine_version = opened.engine.version;
  record.model = name_of(plan.model);
  record.device = plan.device;
  record.facts = opened.model;
  record.sampler = used_sampler(plan.job, opened.engine);
  record.schedule = used_schedule(plan.job, opened.engine);
  record.version = version;
  return record;
}

void save_file(const SaveOptions& options, std::uint32_t index, const std::vector<std::uint8_t>& bytes,
               SavedImage& image) {
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  image.file =
      write_image(options.directory, options.prefix, options.time, index, options.encoding.format, bytes);
  image.bytes = bytes.size();
  image.save_milliseconds += milliseconds_since(begin);
}

LeaseReport generate_files(const GeneratePlan& plan, WorkerSource& source, const SaveOptions& options,
                           const std::atomic<bool>& cancelled, const GenerateEvents& events) {
  OpenResult opened;
  ImageEvents told;
  told.loaded = [&](const LeaseReport& lease) {
    opened = lease.opened;
    if (events.loaded) events.loaded(lease);
  };
  told.progress = events.progress;
  told.image = [&](std::uint32_t index, std::uint64_t seed, const ImageResult& result) {
    const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    const ImageTexts texts =
        options.metadata ? metadata_texts(image_record(plan, opened, seed, options.version)) : ImageTexts{};
    const std::vector<std::uint8_t> bytes = encode_image(result.image, options.encoding, texts);
    SavedImage image{seed,
                     {},
                     0,
                     result.stages,
                     result.step_milliseconds,
                     milliseconds_since(begin),
                     result.peak_memory_bytes};
    save_file(options, index, bytes, image);
    if (events.saved) events.saved(image);
  };
  return ImageRunner(source).run(plan, std::nullopt, cancelled, told);
}

}  // namespace roundhouse::host
