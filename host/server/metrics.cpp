// SPDX-License-Identifier: Apache-2.0
// From counts to a page.
#include "host/server/metrics.h"

#include <array>
#include <chrono>
#include <limits>

#include "host/server/metrics_text.h"

namespace roundhouse::host {
namespace {

// Seconds. From a listing to a large image on a slow processor.
constexpr std::array kBounds = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,   1.0,
                                2.5,   5.0,  10.0,  30.0, 60.0, 120.0, 300.0, 600.0};

void write_pool(MetricsText& page, const PoolStatistics& pool, std::uint64_t previews) {
  const auto count = [&](const char* name, const char* help, auto value) {
    page.single(name, "counter", help, static_cast<double>(value));
  };
  const auto gauge = [&](const char* name, const char* help, auto value) {
    page.single(name, "gauge", help, static_cast<double>(value));
  };
  gauge("roundhouse_queue_depth", "Requests that wait for a model.", pool.waiting);
  gauge("roundhouse_active_requests", "Requests at work in an engine.", pool.active);
  gauge("roundhouse_loading_models", "Models that are being loaded.", pool.loading);
  gauge("roundhouse_loaded_models", "Models that are loaded.", pool.loaded);
  page.metric("roundhouse_generations_total", "counter", "Requests to engines by how they ended.");
  page.sample({{"outcome", "served"}}, static_cast<double>(pool.served));
  page.sample({{"outcome", "failed"}}, static_cast<double>(pool.failed));
  page.sample({{"outcome", "cancelled"}}, static_cast<double>(pool.cancelled));
  page.sample({{"outcome", "refused"}}, static_cast<double>(pool.refused));
  count("roundhouse_previews_total", "Previews of unfinished images.", previews);
  count("roundhouse_model_loads_total", "Models that were loaded.", pool.loads);
  count("roundhouse_model_load_failures_total", "Models that could not be loaded.", pool.load_failures);
  count("roundhouse_model_load_seconds_total", "Time spent loading models.", pool.load_seconds);
  count("roundhouse_model_unloads_total", "Models that were unloaded, for any reason.", pool.unloads);
  count("roundhouse_model_unload_seconds_total", "Time spent unloading models.", pool.unload_seconds);
  count("roundhouse_model_evictions_total", "Models unloaded to make room.", pool.evictions);
  count("roundhouse_model_expirations_total", "Models unloaded for being idle.", pool.expirations);
  count("roundhouse_worker_crashes_total", "Workers that died.", pool.crashes);
  count("roundhouse_worker_memory_kills_total", "Workers ended for growing beyond their limit.",
        pool.memory_kills);
  count("roundhouse_waiting_seconds_total", "Time that requests waited.", pool.waiting_seconds);
  count("roundhouse_working_seconds_total", "Time that engines worked.", pool.working_seconds);
  gauge("roundhouse_memory_budget_bytes", "Memory that all workers together may use.",
        pool.memory_budget_bytes);
  gauge("roundhouse_memory_estimated_bytes", "Memory that the loaded models are counted with.",
        pool.memory_estimated_bytes);
  gauge("roundhouse_memory_resident_bytes", "Memory that workers have now.", pool.memory_resident_bytes);
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Metrics::Metrics(std::string version) : version_(std::move(version)), start_(seconds_since_1970()) {
}

void Metrics::request(const std::string& method, const std::string& route, int status, double seconds,
                      std::uint64_t bytes) {
  const std::string name = route.empty() ? "none" : route;
  const std::lock_guard lock(mutex_);
  // Whoever invents methods shall not fill the memory.
  ++requests_[{route.empty() ? "any" : method, name, status}];
  Route& entry = routes_[name];
  entry.buckets.resize(kBounds.size());
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    if (seconds <= kBounds[i]) ++entry.buckets[i];
  }
  ++entry.count;
  entry.bytes += bytes;
  entry.seconds += seconds;
}

void Metrics::image(const std::string& engine, const std::string& model, std::uint32_t steps,
                    double step_seconds) {
  const std::lock_guard lock(mutex_);
  Images& entry = images_[{engine, model}];
  ++entry.images;
  entry.steps += steps;
  entry.seconds += step_seconds;
  if (step_seconds > 0) entry.latest_rate = steps / step_seconds;
}

void Metrics::text(const std::string& engine, const std::string& model, const TextReport& report) {
  const std::lock_guard lock(mutex_);
  Texts& entry = texts_[{engine, model}];
  ++entry.texts;
  entry.prompt_tokens += report.prompt_tokens;
  entry.cached_tokens += report.cached_tokens;
  entry.answer_tokens += report.answer_tokens;
  entry.prompt_seconds += report.prompt_milliseconds / 1000;
  entry.answer_seconds += report.answer_milliseconds / 1000;
  if (report.answer_milliseconds > 0)
    entry.latest_rate = report.answer_tokens * 1000 / report.answer_milliseconds;
}

std::string Metrics::page(const PoolStatistics& pool, std::uint64_t previews, std::size_t connections) const {
  MetricsText page;
  page.metric("roundhouse_build_info", "gauge", "The version that runs.");
  page.sample({{"version", version_}}, 1);
  page.single("roundhouse_start_time_seconds", "gauge", "When the daemon began, in seconds since 1970.",
              start_);
  page.single("roundhouse_http_connections", "gauge", "Open connections.", static_cast<double>(connections));
  write_pool(page, pool, previews);

  const std::lock_guard lock(mutex_);
  write_requests(page);
  write_images(page);
  write_texts(page);
  return page.text();
}

void Metrics::write_requests(MetricsText& page) const {
  page.metric("roundhouse_http_requests_total", "counter", "Requests by method, route and status.");
  for (const auto& [key, count] : requests_) {
    page.sample({{"method", key.method}, {"route", key.route}, {"status", std::to_string(key.status)}},
                static_cast<double>(count));
  }
  page.metric("roundhouse_http_response_bytes_total", "counter", "Bytes of answers by route.");
  for (const auto& [route, entry] : routes_)
    page.sample({{"route", route}}, static_cast<double>(entry.bytes));
  page.metric("roundhouse_http_request_duration_seconds", "histogram", "Time from a request to its answer.");
  for (const auto& [route, entry] : routes_) {
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      std::string bound = std::to_string(kBounds[i]);
      bound.erase(bound.find_last_not_of('0') + 1);
      if (bound.ends_with('.')) bound.pop_back();
      page.sample({{"route", route}, {"le", bound}}, static_cast<double>(entry.buckets[i]), "_bucket");
    }
    page.sample({{"route", route}, {"le", "+Inf"}}, static_cast<double>(entry.count), "_bucket");
    page.sample({{"route", route}}, entry.seconds, "_sum");
    page.sample({{"route", route}}, static_cast<double>(entry.count), "_count");
  }
}

void Metrics::write_images(MetricsText& page) const {
  const auto of_images = [&](const char* name, const char* type, const char* help, const auto& value) {
    page.metric(name, type, help);
    for (const auto& [key, entry] : images_)
      page.sample({{"engine", key.first}, {"model", key.second}}, static_cast<double>(value(entry)));
  };
  of_images("roundhouse_images_total", "counter", "Finished images.",
            [](const Images& entry) { return entry.images; });
  of_images("roundhouse_steps_total", "counter", "Steps of finished images.",
            [](const Images& entry) { return entry.steps; });
  of_images("roundhouse_step_seconds_total", "counter", "Time that the steps of finished images took.",
            [](const Images& entry) { return entry.seconds; });
  of_images("roundhouse_steps_per_second", "gauge", "Rate of the latest finished image.",
            [](const Images& entry) { return entry.latest_rate; });
}

void Metrics::write_texts(MetricsText& page) const {
  const auto of_texts = [&](const char* name, const char* type, const char* help, const auto& value) {
    page.metric(name, type, help);
    for (const auto& [key, entry] : texts_)
      page.sample({{"engine", key.first}, {"model", key.second}}, static_cast<double>(value(entry)));
  };
  of_texts("roundhouse_texts_total", "counter", "Finished texts.",
           [](const Texts& entry) { return entry.texts; });
  of_texts("roundhouse_prompt_tokens_total", "counter", "Tokens of the prompts of finished texts.",
           [](const Texts& entry) { return entry.prompt_tokens; });
  of_texts("roundhouse_cached_tokens_total", "counter", "Of those: tokens that an earlier request had left.",
           [](const Texts& entry) { return entry.cached_tokens; });
  of_texts("roundhouse_answer_tokens_total", "counter", "Tokens of the answers of finished texts.",
           [](const Texts& entry) { return entry.answer_tokens; });
  of_texts("roundhouse_prompt_seconds_total", "counter", "Time that reading their prompts took.",
           [](const Texts& entry) { return entry.prompt_seconds; });
  of_texts("roundhouse_answer_seconds_total", "counter", "Time that writing their answers took.",
           [](const Texts& entry) { return entry.answer_seconds; });
  of_texts("roundhouse_tokens_per_second", "gauge", "Rate of the latest finished answer.",
           [](const Texts& entry) { return entry.latest_rate; });
}

}  // namespace roundhouse::host
