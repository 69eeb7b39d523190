// SPDX-License-Identifier: Apache-2.0
// The states an engine candidate goes through.
#include "host/registry/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/registry/differences.h"
#include "roundhouse/base.h"

namespace roundhouse::host {
namespace {

std::string version(std::uint32_t major, std::uint32_t minor) {
  return fmt::format("{}.{}", major, minor);
}

std::optional<Error> incompatibility(const EngineManifest& manifest) {
  if (manifest.abi_major == RH_ABI_MAJOR) return std::nullopt;
  return Error(RH_ENGINE_INCOMPATIBLE, "engine '" + manifest.id + "' speaks ABI " +
                                           version(manifest.abi_major, manifest.abi_minor) +
                                           ", this host speaks " + version(RH_ABI_MAJOR, RH_ABI_MINOR));
}

void refuse(EngineRecord& record, Error error) {
  record.state = EngineState::unusable;
  record.error = std::move(error);
}

EngineRecord record_of(Candidate candidate) {
  EngineRecord record;
  record.id = candidate.manifest ? candidate.manifest->id : candidate.file.stem().string();
  record.manifest_file = std::move(candidate.file);
  record.origin = std::move(candidate.origin);
  record.stamp = std::move(candidate.stamp);
  record.manifest = std::move(candidate.manifest);
  if (candidate.error) {
    refuse(record, *candidate.error);
  } else if (candidate.duplicate_of) {
    record.state = EngineState::duplicate;
    record.error = Error(RH_ENGINE_NOT_FOUND,
                         "engine '" + record.id + "' of '" + record.manifest_file.string() +
                             "' is not used: '" + candidate.duplicate_of->string() + "' came first",
                         "remove one of the two manifests, or give one of the engines another id");
  } else if (auto error = incompatibility(*record.manifest)) {
    refuse(record, *error);
  }
  return record;
}

bool is_usable(const EngineRecord& record) {
  return record.state == EngineState::listed || record.state == EngineState::available;
}

}  // namespace

std::string state_name(EngineState state) {
  switch (state) {
    case EngineState::listed:
      return "listed";
    case EngineState::available:
      return "available";
    case EngineState::duplicate:
      return "duplicate";
    case EngineState::unusable:
      return "unusable";
  }
  return "unusable";
}

const Capabilities& EngineRecord::capabilities() const {
  static const Capabilities none;
  if (state == EngineState::unusable) return none;
  if (report) return report->capabilities;
  return manifest ? manifest->capabilities : none;
}

const Limits& EngineRecord::limits() const {
  static const Limits none;
  if (state == EngineState::unusable) return none;
  if (report) return report->limits;
  return manifest ? manifest->limits : none;
}

std::int32_t EngineRecord::score() const {
  if (state == EngineState::unusable) return 0;
  if (report) return report->score;
  return manifest ? manifest->score : 0;
}

std::string EngineRecord::maturity() const {
  if (report) return report->maturity;
  return manifest ? manifest->maturity : "";
}

Registry::Registry(std::vector<Candidate> candidates) {
  records_.reserve(candidates.size());
  for (auto& candidate : candidates)
    records_.push_back(record_of(std::move(candidate)));
}

const EngineRecord* Registry::find(const std::string& id) const {
  const auto found = std::find_if(records_.begin(), records_.end(), [&](const EngineRecord& record) {
    return record.id == id && is_usable(record);
  });
  return found == records_.end() ? nullptr : &*found;
}

void Registry::set_report(const std::filesystem::path& manifest_file, EngineReport report) {
  for (auto& record : records_) {
    if (record.manifest_file != manifest_file || !record.manifest) continue;
    if (report.id != record.manifest->id) {
      refuse(record,
             Error(RH_ENGINE_BROKEN, "engine '" + record.manifest->id + "': the plugin calls itself '" +
                                         report.id + "', the manifest says otherwise"));
      return;
    }
    record.differences = differences(*record.manifest, report);
    record.report = std::move(report);
    record.error.reset();
    record.state = EngineState::available;
    return;
  }
}

void Registry::set_rates(const std::filesystem::path& manifest_file, EngineRates rates) {
  for (auto& record : records_) {
    if (record.manifest_file != manifest_file) continue;
    record.rates = std::move(rates);
    return;
  }
}

void Registry::set_error(const std::filesystem::path& manifest_file, Error error) {
  for (auto& record : records_) {
    if (record.manifest_file == manifest_file) {
      refuse(record, std::move(error));
      return;
    }
  }
}

}  // namespace roundhouse::host
