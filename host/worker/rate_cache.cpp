// SPDX-License-Identifier: Apache-2.0
#include "host/worker/rate_cache.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "host/loading/elf_file.h"
#include "host/store/digest.h"
#include "host/store/file.h"
#include "host/store/small_file.h"
#include "host/worker/engine_client.h"
#include "host/worker/machine.h"

namespace roundhouse::host {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr int kSchema = 1;
constexpr std::size_t kLargestFile = 64 << 10;  // bytes

// What the plugin's library finds in its environment, where its manifest names it.
std::string environment_text(const EngineManifest& manifest) {
  const auto computed = engine_environment(manifest);
  std::string text;
  for (const EnvironmentRule& rule : manifest.environment) {
    const char* set = std::getenv(rule.name.c_str());
    std::string value = set == nullptr ? "" : set;
    for (const auto& [name, wanted] : computed) {
      if (name == rule.name) value = wanted;
    }
    text += fmt::format(" {}={}", rule.name, value);
  }
  return text;
}

EngineRates rates_of(const Json& json) {
  EngineRates rates;
  json.at("rates").get_to(rates.by_weights);
  json.at("problem").get_to(rates.problem);
  for (const auto& [type, rate] : rates.by_weights) {
    if (!std::isfinite(rate) || rate <= 0) throw Error(RH_MODEL_INVALID, "rates: not a rate");
  }
  return rates;
}

RateKey key_of(const Json& json) {
  return {json.at("engine").get<std::string>(), json.at("processor").get<std::string>(),
          json.at("threads").get<std::uint32_t>()};
}

}  // namespace

std::string processor_key() {
  const Machine machine = inspect_machine();
  return fmt::format("{}, {} of {}, quota {}, flags {}", machine.cpu, machine.processors_allowed,
                     machine.processors, machine.cpu_quota.value_or(0), sha256(machine.flags).brief());
}

RateKey rate_key(const EngineManifest& manifest, const std::string& processor, std::uint32_t threads) {
  struct stat status {};
  const bool there = ::stat(manifest.library.c_str(), &status) == 0;
  RateKey key;
  key.engine =
      fmt::format("{} {} {} bytes {}.{:09} build {}{}", manifest.id, manifest.library.string(),
                  there ? status.st_size : -1, there ? status.st_mtim.tv_sec : 0,
                  there ? status.st_mtim.tv_nsec : 0, build_id(manifest.library), environment_text(manifest));
  key.processor = processor;
  key.threads = threads;
  return key;
}

// The name leaves out what changes with each build of an engine, so that a new one takes the old one's place.
fs::path RateCache::file_of(const RateKey& key) const {
  const std::string engine = key.engine.substr(0, key.engine.find(" bytes "));
  const std::string library = engine.substr(0, engine.rfind(' '));
  return directory_ /
         (sha256(fmt::format("{}\n{}\n{}", library, key.processor, key.threads)).brief() + ".json");
}

std::optional<EngineRates> RateCache::find(const RateKey& key) const {
  if (directory_.empty()) return std::nullopt;
  try {
    const auto text = read_small_file(file_of(key), "rates", kLargestFile);
    if (!text) return std::nullopt;
    const Json json = parse_json_object(*text, "rates");
    if (json.at("schema").get<int>() != kSchema || key_of(json) != key) return std::nullopt;
    return rates_of(json);
  } catch (const std::exception&) {  // damaged or not to be read: measured again
    return std::nullopt;
  }
}

void RateCache::keep(const RateKey& key, const EngineRates& rates) const noexcept {
  if (directory_.empty()) return;
  fs::path fresh;
  try {
    const fs::path file = file_of(key);
    const Json json = {{"schema", kSchema},      {"engine", key.engine},      {"processor", key.processor},
                       {"threads", key.threads}, {"rates", rates.by_weights}, {"problem", rates.problem}};
    const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    make_directories(directory_);
    fresh = file;
    fresh += fmt::format(".{}", ::getpid());
    std::error_code ignored;
    fs::remove(fresh, ignored);  // of a process that ended in the middle
    write_all(create_file(fresh), text, fresh.string());
    rename_file(fresh, file);
  } catch (const std::exception&) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
  }
}

}  // namespace roundhouse::host
