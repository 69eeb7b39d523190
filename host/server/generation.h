// SPDX-License-Identifier: Apache-2.0
// One request for images, of whatever dialect: planned, queued, made, counted and noted for the log.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "host/output/metadata.h"
#include "host/server/http/exchange.h"
#include "host/server/services.h"

namespace roundhouse::host {

struct FinishedImage {
  std::uint64_t seed = 0;
  ImageResult result;
};

struct GenerationEvents : ImageEvents {
  std::function<void(const GeneratePlan&)> planned;  // before it waits
};

struct Generation {
  GeneratePlan plan;
  LeaseReport lease;
  std::vector<FinishedImage> images;
  double seconds = 0;  // from the plan to the last image, waiting included

  // For the metadata of image `image`.
  ImageMetadata record(std::size_t image, const std::string& version) const;
};

// How often previews are made: after every so many steps, or as often as cuts the steps of an image into so
// many parts; both 0 = never.
struct PreviewRate {
  std::uint32_t every = 0, parts = 0;

  std::uint32_t steps_between(std::uint32_t steps) const {
    return parts == 0 ? every : std::max<std::uint32_t>(steps / parts, 1);
  }
};

// Runs on the handler's thread, as long as it takes; `exchange.cancelled()` ends it with CANCELLED. A request
// without an engine takes the daemon's default.
Generation generate_images(const Services& services, http::Exchange& exchange, GenerateRequest request,
                           std::optional<KeepAlive> keep_alive, const GenerationEvents& events,
                           PreviewRate previews = {});

// The model is loaded, where images of it would be made, and stays for `keep_alive`.
LeaseReport load_model(const Services& services, http::Exchange& exchange, GenerateRequest request,
                       std::optional<KeepAlive> keep_alive);

}  // namespace roundhouse::host
