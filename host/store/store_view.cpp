// SPDX-License-Identifier: Apache-2.0
// Directories that show the blobs of a model under their names. LinkTable, never copies: models that share a
// blob share its pages in memory.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>

#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

using LinkTable = std::map<std::string, std::string>;  // by path in the model

// The link of each file, relative so that a store can be moved.
LinkTable links_of(const ModelManifest& manifest) {
  LinkTable links;
  for (const ModelFile& file : manifest.files) {
    std::string target = "../../blobs/sha256/" + file.digest.hex();
    for (auto i = std::count(file.path.begin(), file.path.end(), '/'); i > 0; --i)
      target.insert(0, "../");
    links.emplace(file.path, std::move(target));
  }
  return links;
}

// Whether the directory holds these links and nothing else.
bool shows(const fs::path& view, const LinkTable& links) {
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

void make_links(const fs::path& directory, const LinkTable& links) {
  for (const auto& [path, target] : links) {
    make_directories((directory / path).parent_path());
    std::error_code error;
    fs::create_symlink(target, directory / path, error);
    if (error) throw_system("view of the model, file '" + path + "'", error.value());
  }
}

void make_in_store(const StorePaths& paths, const fs::path& view, const LinkTable& links) {
  StoreSession session(paths);
  const fs::path made = session.fresh_path();
  make_links(made, links);
  const StoreLock lock(paths, StoreLock::Mode::exclusive);
  if (shows(view, links)) return;  // another process was faster
  make_directories(paths.views());
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(view, ignored))) rename_file(view, session.fresh_path());
  rename_file(made, view);
}

// A directory that only this user can write. Its name can be guessed, so that others may have made it.
fs::path own_directory() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  std::error_code error;
  const fs::path parent = runtime != nullptr && fs::path(runtime).is_absolute()
                              ? fs::path(runtime)
                              : fs::temp_directory_path(error);
  const fs::path directory = parent / (fmt::format("roundhouse-{}", ::geteuid()));
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    throw_system("view of the model: directory '" + directory.string() + "'", errno);
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(RH_IO_ERROR, "view of the model: '" + directory.string() + "' is not this user's directory");
  return directory;
}

fs::path view_elsewhere(const StorePaths& paths, const ModelManifest& manifest) {
  LinkTable links;
  for (const ModelFile& file : manifest.files)
    links.emplace(file.path, fs::absolute(paths.blob(file.digest)).string());
  const fs::path own = own_directory();
  const fs::path view = own / sha256(fs::absolute(paths.root).string() + manifest.digest.text()).hex();
  if (shows(view, links)) return view;
  std::string made = (own / "view-XXXXXX").string();
  if (::mkdtemp(made.data()) == nullptr) throw_system("view of the model: '" + made + "'", errno);
  std::error_code error;
  try {
    make_links(made, links);
    fs::remove_all(view, error);
    fs::rename(made, view, error);
    if (error && !shows(view, links))
      throw_system("view of the model: '" + view.string() + "'", error.value());
  } catch (const Error&) {
    fs::remove_all(made, error);
    throw;
  }
  fs::remove_all(made, error);  // where another process was faster
  return view;
}

}  // namespace

fs::path Store::view(const ModelManifest& manifest) {
  const fs::path view = paths_.view(manifest.digest);
  const LinkTable links = links_of(manifest);
  if (shows(view, links)) return view;
  try {
    make_in_store(paths_, view, links);
    return view;
  } catch (const Error& error) {
    if (error.code() != RH_IO_ERROR && error.code() != RH_INSUFFICIENT_STORAGE) throw;
  }
  return view_elsewhere(paths_, manifest);
}

}  // namespace roundhouse::host
