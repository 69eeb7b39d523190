// SPDX-License-Identifier: Apache-2.0
// What the commands on the model store have to tell.
#include "host/cli/store_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/text/list.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

void put(OrderedJson& json, const char* name, const std::string& value) {
  json[name] = value.empty() ? OrderedJson(nullptr) : OrderedJson(value);
}

std::string counted(std::size_t count, const std::string& one, const std::string& many) {
  return fmt::format("{} {}", count, (count == 1 ? one : many));
}

}  // namespace

OrderedJson import_json(const ImportReport& report, const Store& store) {
  OrderedJson json;
  json["name"] = report.model.name;
  json["digest"] = report.model.digest.text();
  put(json, "replaced", report.replaced ? report.replaced->text() : "");
  json["bytes"] = report.bytes;
  json["bytes_added"] = report.bytes_added;
  json["files"] = {{"all", report.files},     {"present", report.present}, {"linked", report.linked},
                   {"cloned", report.cloned}, {"copied", report.copied},   {"fetched", report.fetched}};
  json["bytes_fetched"] = report.bytes_fetched;
  json["notes"] = report.notes;
  put(json, "source", report.model.source);
  json["store"] = store.root().string();
  return json;
}

std::string import_text(const ImportReport& report) {
  std::vector<std::string> how;
  const auto add = [&](unsigned count, const char* what) {
    if (count > 0) how.push_back(fmt::format("{} {}", count, what));
  };
  add(report.present, "present before");
  add(report.linked, "linked");
  add(report.cloned, "cloned");
  add(report.copied, "copied");
  add(report.fetched, "fetched");
  std::string text = report.model.name + "  " + report.model.digest.brief() + "  " +
                     human_bytes(report.bytes) + " in " + counted(report.files, "file", "files") + " (" +
                     joined(how) + "), " + human_bytes(report.bytes_added) + " added\n";
  if (report.replaced) text += "the name stood for " + report.replaced->brief() + " before\n";
  for (const std::string& note : report.notes)
    text += "note: " + note + "\n";
  return text;
}

OrderedJson collection_json(const Collection& collection) {
  OrderedJson json;
  json["bytes"] = collection.bytes;
  for (const char* list : {"blobs", "leftovers", "views", "downloads"})
    json[list] = OrderedJson::array();
  for (const Digest& digest : collection.blobs)
    json["blobs"].push_back(digest.text());
  for (const auto& path : collection.leftovers)
    json["leftovers"].push_back(path.string());
  for (const auto& path : collection.views)
    json["views"].push_back(path.string());
  for (const auto& path : collection.downloads)
    json["downloads"].push_back(path.string());
  return json;
}

std::string collection_text(const Collection& collection, const std::string& verb) {
  std::vector<std::string> what;
  if (!collection.blobs.empty()) what.push_back(counted(collection.blobs.size(), "blob", "blobs"));
  if (!collection.leftovers.empty())
    what.push_back("what " + counted(collection.leftovers.size(), "killed process", "killed processes") +
                   " left");
  if (!collection.views.empty())
    what.push_back(counted(collection.views.size(), "directory view", "directory views"));
  if (!collection.downloads.empty())
    what.push_back(counted(collection.downloads.size(), "file of a download", "files of downloads"));
  if (what.empty()) return "nothing to remove\n";
  return verb + " " + joined(what) + ": " + human_bytes(collection.bytes) + "\n";
}

StoredModel stored_model(const Program& program, const Store& store, const ModelName& name) {
  try {
    return store.get(name);
  } catch (const Error& error) {
    if (error.code() != RH_MODEL_NOT_FOUND) throw;
    for (const auto& entry : program.models().entries()) {
      if (entry.spec.name != name.text() || !entry.present || entry.stored) continue;
      throw Error(RH_MODEL_NOT_FOUND,
                  fmt::format("model '{}' is the directory '{}'; this takes models of the store", name.text(),
                              entry.directory.string()),
                  fmt::format("take it in first: roundhouse import '{}' --name {}", entry.directory.string(),
                              name.text()));
    }
    throw;
  }
}

}  // namespace roundhouse::host
