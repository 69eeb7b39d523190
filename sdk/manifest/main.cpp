// SPDX-License-Identifier: Apache-2.0
// roundhouse-manifest PLUGIN.so OUTPUT.json [STATED.json]: writes the manifest of an engine from what the
// plugin says of it. STATED.json has what only an author knows (score, environment, network, x- keys, and the
// id where a plugin has several engines); what it repeats must be what the plugin says.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sdk/manifest/described_engine.h"
#include "sdk/manifest/merge.h"

namespace {

using manifest::Json;
using manifest::Refused;

Json read_stated(const char* path) {
  std::ifstream file(path);
  if (!file) throw Refused(std::string(path) + ": cannot be read");
  Json stated = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!stated.is_object()) throw Refused(std::string(path) + ": is not a JSON object");
  return stated;
}

void save(const std::string& path, const Json& manifest) {
  const std::string text = manifest.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (path == "-") {
    std::fputs(text.c_str(), stdout);
    return;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw Refused(path + ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fputs("usage: roundhouse-manifest PLUGIN.so OUTPUT.json [STATED.json]\n", stderr);
    return 2;
  }
  try {
    const Json stated = argc == 4 ? read_stated(argv[3]) : Json::object();
    const std::string library = std::filesystem::absolute(argv[1]).string();
    save(argv[2], manifest::merge(stated, manifest::describe_engine(library, stated)));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argc == 4 ? argv[3] : argv[1], error.what());
    return 1;
  }
}
