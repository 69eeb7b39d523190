// SPDX-License-Identifier: Apache-2.0
// Images of a plan, each in a file of its own as soon as it is made.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/images/image_format.h"
#include "host/output/metadata.h"
#include "host/session/image_runner.h"

namespace roundhouse::host {

// How files are named, and what they tell of themselves.
struct SaveOptions {
  std::filesystem::path directory;               // made when it is not there
  std::string prefix;                            // of file names, see write_image
  std::chrono::system_clock::time_point time{};  // in file names
  ImageEncoding encoding;                        // the kind of file
  bool metadata = true;                          // what makes the image again, as texts inside
  std::string version;                           // of the program, in the metadata
};

// One finished image.
struct SavedImage {
  std::uint64_t seed = 0;
  std::filesystem::path file;
  std::uint64_t bytes = 0;  // of the file
  std::vector<StageTiming> stages;
  std::vector<double> step_milliseconds;
  double save_milliseconds = 0;  // encoding and writing
  std::uint64_t peak_memory_bytes = 0;
};

// Called on the thread that generates, one after the other.
struct GenerateEvents {
  std::function<void(const LeaseReport&)> loaded;
  std::function<void(const StepEvent&)> progress;
  std::function<void(const SavedImage&)> saved;
};

// What an image of `seed` tells about itself.
ImageMetadata image_record(const GeneratePlan& plan, const OpenResult& opened, std::uint64_t seed,
                           const std::string& version);

// Writes the file of image `index`, which somebody has encoded already, and fills in file, bytes and time.
void save_file(const SaveOptions& options, std::uint32_t index, const std::vector<std::uint8_t>& bytes,
               SavedImage& image);

// Makes the plan's images with a worker of `source`, one after the other; what was saved before an error
// stays. Throws what ImageRunner::run and write_image throw.
LeaseReport generate_files(const GeneratePlan& plan, WorkerSource& source, const SaveOptions& options,
                           const std::atomic<bool>& cancelled, const GenerateEvents& events);

}  // namespace roundhouse::host
