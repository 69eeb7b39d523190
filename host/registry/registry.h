// SPDX-License-Identifier: Apache-2.0
// What is known about every engine candidate. A value, made in main and passed on; nothing here is global.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/discovery/discovery.h"
#include "host/manifest/manifest.h"
#include "host/task/engine_rates.h"
#include "host/task/engine_report.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

void to_json(nlohmann::json& json, const EngineReport& report);
void from_json(const nlohmann::json& json, EngineReport& report);

enum class EngineState {
  listed,     // manifest read, not probed
  available,  // probed: loads and describes itself
  duplicate,  // another manifest of the same id came first
  unusable    // see error
};
std::string state_name(EngineState state);

struct EngineRecord {
  std::string id;  // of the manifest; the file's stem when it could not be read
  std::filesystem::path manifest_file;
  std::string origin;
  std::string stamp;  // of manifest and library, as Candidate has it
  EngineState state = EngineState::listed;
  std::optional<EngineManifest> manifest;
  std::optional<EngineReport> report;    // after a probe
  std::optional<EngineRates> rates;      // on the processor, once they are known
  std::optional<Error> error;            // why it is unusable
  std::vector<std::string> differences;  // manifest against report, one line each

  // The report's where there is one, else the manifest's. Empty for an unusable record.
  const Capabilities& capabilities() const;
  const Limits& limits() const;
  std::int32_t score() const;
  std::string maturity() const;
};

class Registry {
 public:
  explicit Registry(std::vector<Candidate> candidates);

  const std::vector<EngineRecord>& records() const { return records_; }
  // The usable (listed or available) record of that id, or null.
  const EngineRecord* find(const std::string& id) const;
  // Puts the result of a probe into the record of that manifest file; compares it with the manifest. A report
  // whose id is not the manifest's makes the record unusable with ENGINE_BROKEN.
  void set_report(const std::filesystem::path& manifest_file, EngineReport report);
  void set_rates(const std::filesystem::path& manifest_file, EngineRates rates);
  void set_error(const std::filesystem::path& manifest_file, Error error);

 private:
  std::vector<EngineRecord> records_;
};

}  // namespace roundhouse::host
