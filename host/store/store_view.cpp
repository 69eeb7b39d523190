// SPDX-License-Identifier: Apache-2.0
// Directories that show the blobs of a model under their names. Links, never copies: models that share a blob
// share its pages in memory.
#include <algorithm>
#include <map>

#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// The link of each file, relative so that a store can be moved.
std::map<std::string, std::string> links_of(const ModelManifest& manifest) {
  std::map<std::string, std::string> links;
  for (const ModelFile& file : manifest.files) {
    std::string target = "../../blobs/sha256/" + file.digest.hex();
    for (auto i = std::count(file.path.begin(), file.path.end(), '/'); i > 0; --i)
      target.insert(0, "../");
    links.emplace(file.path, std::move(target));
  }
  return links;
}

// Whether the directory holds these links and nothing else.
bool shows(const fs::path& view, const std::map<std::string, std::string>& links) {
  std::size_t found = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(view, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (it->is_directory(gone) && !it->is_symlink(gone)) continue;
    const auto link = links.find(it->path().lexically_relative(view).generic_string());
    if (link == links.end() || fs::read_symlink(it->path(), gone) != link->second) return false;
    ++found;
  }
  return !error && !fs::is_symlink(view, error) && found == links.size();
}

}  // namespace

fs::path Store::view(const ModelManifest& manifest) {
  const fs::path view = paths_.view(manifest.digest);
  const auto links = links_of(manifest);
  if (shows(view, links)) return view;
  StoreSession session(paths_);
  const fs::path made = session.fresh_path();
  for (const auto& [path, target] : links) {
    make_directories((made / path).parent_path());
    std::error_code error;
    fs::create_symlink(target, made / path, error);
    if (error) throw_system("view of the model, file '" + path + "'", error.value());
  }
  const StoreLock lock(paths_, StoreLock::Mode::exclusive);
  if (shows(view, links)) return view;  // another process was faster
  make_directories(paths_.views());
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(view, ignored))) rename_file(view, session.fresh_path());
  rename_file(made, view);
  return view;
}

}  // namespace roundhouse::host
