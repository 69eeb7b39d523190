// SPDX-License-Identifier: Apache-2.0
// What the daemon counts, in the words of Prometheus. (Debian's client library brings a web server and
// libcurl along; the text format is a page long.)
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "host/residency/pool.h"
#include "host/task/text_task.h"

namespace roundhouse::host {

class MetricsText;

// All functions may be called from any thread.
class Metrics {
 public:
  explicit Metrics(std::string version);

  // `route` is the pattern; empty for a request that met none.
  void request(const std::string& method, const std::string& route, int status, double seconds,
               std::uint64_t bytes);
  // A finished image of that many steps, and the time that they took. `model` may be empty.
  void image(const std::string& engine, const std::string& model, std::uint32_t steps, double step_seconds);

  // A finished text. `model` may be empty.
  void text(const std::string& engine, const std::string& model, const TextReport& report);

  // The page in text format 0.0.4.
  std::string page(const PoolStatistics& pool, std::uint64_t previews, std::size_t connections) const;

 private:
  struct Route {
    std::vector<std::uint64_t> buckets;
    std::uint64_t count = 0, bytes = 0;
    double seconds = 0;
  };
  struct Images {
    std::uint64_t images = 0, steps = 0;
    double seconds = 0, latest_rate = 0;
  };
  struct Texts {
    std::uint64_t texts = 0, prompt_tokens = 0, cached_tokens = 0, answer_tokens = 0;
    double prompt_seconds = 0, answer_seconds = 0, latest_rate = 0;
  };
  struct RequestKey {
    std::string method, route;
    int status = 0;
    // Spelled out: clang-tidy takes a generated comparison for a null pointer.
    bool operator<(const RequestKey& other) const {
      return std::tie(method, route, status) < std::tie(other.method, other.route, other.status);
    }
  };

  // With mutex_ held.
  void write_requests(MetricsText& page) const;
  void write_images(MetricsText& page) const;
  void write_texts(MetricsText& page) const;

  const std::string version_;
  const double start_;  // seconds since 1970
  mutable std::mutex mutex_;
  std::map<RequestKey, std::uint64_t> requests_;
  std::map<std::string, Route> routes_;
  std::map<std::pair<std::string, std::string>, Images> images_;
  std::map<std::pair<std::string, std::string>, Texts> texts_;
};

}  // namespace roundhouse::host
