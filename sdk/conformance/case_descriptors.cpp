// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <set>

#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/elf_exports.h"
#include "sdk/conformance/text.h"

namespace conformance {
namespace {

void check_texts(const rh_engine_descriptor& engine, Report& report) {
  const std::string id = engine.id;
  report.expect(is_engine_id(id) && id != "auto", "P7",
                "id '" + id + "' does not match [a-z0-9][a-z0-9._-]{0,62} or is the word auto");
  for (const auto& [name, value] :
       {std::pair("name", engine.name), std::pair("vendor", engine.vendor),
        std::pair("version", engine.version), std::pair("description", engine.description)}) {
    report.expect(is_text(value), "P7", id + ": " + name + " is NULL, empty or not UTF-8");
  }
  const bool known = engine.maturity >= RH_MATURITY_STABLE && engine.maturity <= RH_MATURITY_TEACHING;
  report.expect(known, "P7", fmt::format("{}: maturity is {}, expected 1 to 3", id, engine.maturity));
  report.expect(engine.reserved == 0, "P10", id + ": a reserved field of the descriptor is not 0");
}

void check_limits(const rh_engine_descriptor& engine, Report& report) {
  const std::string id = engine.id;
  if (engine.limits == nullptr) return;
  if (!report.expect(roundhouse::reaches_floor(engine.limits), "P10",
                     id + ": limits: the list is too small")) {
    return;
  }
  for (std::uint32_t i = 0; i < engine.limits->count; ++i) {
    const bool there = roundhouse::reaches_floor(engine.limits->items) &&
                       roundhouse::reaches_floor(&roundhouse::list_item(engine.limits->items, i));
    if (!report.expect(there, "P10", id + ": limits: a record is NULL or too small")) return;
    const rh_limit& limit = roundhouse::list_item(engine.limits->items, i);
    if (!report.expect(is_text(limit.name), "P8", id + ": limits: a name is NULL, empty or not UTF-8"))
      continue;
    const bool sane = std::isfinite(limit.minimum) && std::isfinite(limit.maximum) &&
                      limit.minimum <= limit.maximum && std::isfinite(limit.multiple_of) &&
                      limit.multiple_of >= 0;
    report.expect(sane, "P8", id + ": limit " + limit.name + " is empty or not finite");
  }
}

void check_capabilities(const rh_engine_descriptor& engine, Report& report) {
  const std::string id = engine.id;
  const std::string problem = problem_of(engine.capabilities);
  report.expect(problem.empty(), "P8", id + ": capabilities: " + problem);
  for (const char* group : {"task", "device"}) {
    report.expect(!first_capability(engine, group).empty(), "P8",
                  id + ": capabilities name no " + std::string(group));
  }
}

}  // namespace

void check_file(const Subject& subject, Report& report) {
  report.step("reading the symbol table");
  std::vector<ExportedSymbol> symbols;
  try {
    symbols = exported_symbols(subject.library);
  } catch (const std::exception& error) {
    report.require(false, "P1", error.what());
  }
  bool found = false;
  std::string others;
  for (const ExportedSymbol& symbol : symbols) {
    if (symbol.name == RH_PLUGIN_ENTRY_SYMBOL) {
      found = true;
      report.expect(symbol.is_data, "P1", "rh_plugin_entry is a function, expected data");
    } else if (others.size() < 200) {
      others += " " + symbol.name;
    }
  }
  report.expect(found, "P1", "rh_plugin_entry is not exported");
  report.expect(others.empty(), "P1", "exports more than rh_plugin_entry:" + others);
}

void check_descriptors(const Subject& subject, Report& report) {
  Life life(subject, report);
  const std::uint32_t count = life.factory().count();
  report.expect(count >= 1, "P5", "the factory has no engines");
  report.expect(life.entry().get_factory("roundhouse.conformance/0") == nullptr, "P5",
                "get_factory answers to an id that it cannot know");
  report.expect(life.factory().descriptor(count) == nullptr, "P6", "descriptor(count()) is not NULL");
  const int threads = thread_count();
  std::set<std::string> ids;
  const auto descriptors = life.descriptors();
  for (const rh_engine_descriptor* engine : descriptors) {
    check_texts(*engine, report);
    check_capabilities(*engine, report);
    check_limits(*engine, report);
    report.expect(ids.insert(engine->id).second, "P7", "two engines are called " + std::string(engine->id));
  }
  report.expect(descriptors == life.descriptors(), "P6", "a second look gives other descriptors");
  report.expect(thread_count() == threads, "P6", "describing the engines started a thread");
  check_manifest(subject, life);
}

}  // namespace conformance
