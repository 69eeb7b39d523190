// SPDX-License-Identifier: Apache-2.0
#include "host/app/inside_directory.h"

#include "host/store/model_files.h"

namespace roundhouse::host {
namespace {

std::string with_name(std::string text, const std::string& path, const std::string& name) {
  for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + name.size()))
    text.replace(at, path.size(), name);
  return text;
}

}  // namespace

InsideDirectory::InsideDirectory(const AppContext& context, const std::filesystem::path& directory,
                                 Links links)
    : directory_(directory), path_(directory) {
  const auto left_out = list_model_files(directory, links).left_out;
  if (left_out.empty()) return;
  left_out_ = left_out.front();
  if (context.store_root.empty())
    throw Error(RH_INVALID_ARGUMENT, "directory '" + directory.string() + "': '" + left_out_ +
                                         "' is a link that leads out of it, or no file");
  assembly_.emplace(StorePaths{context.store_root});
  assembly_->add_model(directory, links);
  path_ = assembly_->directory();
}

ModelDirectory InsideDirectory::inspect() const {
  try {
    return inspect_model_directory(path_);
  } catch (const Error& error) {
    throw Error(error.code(), with_name(error.what(), path_.string(), directory_.string()),
                left_out_.empty()
                    ? std::string(error.hint())
                    : "left out as a link that leads elsewhere, or for its name: '" + left_out_ + "'");
  }
}

}  // namespace roundhouse::host
