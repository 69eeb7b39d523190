// SPDX-License-Identifier: Apache-2.0
#include "host/store/tar_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "host/store/file.h"
#include "host/store/oci_manifest.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 1 << 20;
constexpr int kMode = 0644;

struct ReadArchive {
  archive* handle = archive_read_new();
  ~ReadArchive() { archive_read_free(handle); }
};

struct Entry {
  archive_entry* handle = archive_entry_new();
  ~Entry() { archive_entry_free(handle); }
};

[[noreturn]] void throw_damage(const std::string& shown, archive* handle) {
  const char* text = archive_error_string(handle);
  throw Error(RH_MODEL_INVALID, shown + ": not a whole tar archive: " + (text == nullptr ? "unknown" : text));
}

std::string safe_name(archive_entry* entry, const std::string& shown) {
  const char* text = archive_entry_pathname(entry);
  std::string name = text == nullptr ? "" : text;
  while (name.starts_with("./"))
    name.erase(0, 2);
  require_safe_path(name, shown);
  return name;
}

bool is_directory(archive_entry* entry) {
  return archive_entry_filetype(entry) == AE_IFDIR;
}

}  // namespace

struct TarWriter::State {
  fs::path file, temporary;
  File opened;
  archive* handle = archive_write_new();
  std::string shown;

  ~State() {
    archive_write_free(handle);
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
  void require(int result) const {
    if (result == ARCHIVE_OK) return;
    const int number = archive_errno(handle);
    throw_system(shown, number > 0 ? number : EIO);
  }
};

TarWriter::TarWriter(const fs::path& file) : state_(std::make_unique<State>()) {
  state_->file = file;
  state_->shown = "file '" + file.string() + "'";
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(file, ignored)))
    throw Error(RH_IO_ERROR, state_->shown + ": exists already",
                "choose another name, or remove the file first");
  const fs::path temporary = fmt::format("{}.partial-{}", file.string(), ::getpid());
  state_->opened = create_file(temporary);
  state_->temporary = temporary;
  state_->require(archive_write_set_format_pax_restricted(state_->handle));
  state_->require(archive_write_set_bytes_in_last_block(state_->handle, 1));
  state_->require(archive_write_open_fd(state_->handle, state_->opened.get()));
}

TarWriter::~TarWriter() = default;

void TarWriter::begin(const std::string& name, std::uint64_t size) {
  const Entry entry;
  archive_entry_set_pathname(entry.handle, name.c_str());
  archive_entry_set_size(entry.handle, static_cast<la_int64_t>(size));
  archive_entry_set_filetype(entry.handle, AE_IFREG);
  archive_entry_set_perm(entry.handle, kMode);
  archive_entry_set_mtime(entry.handle, 0, 0);
  state_->require(archive_write_header(state_->handle, entry.handle));
}

void TarWriter::write(std::string_view bytes) {
  if (bytes.empty()) return;
  const la_ssize_t count = archive_write_data(state_->handle, bytes.data(), bytes.size());
  if (count != static_cast<la_ssize_t>(bytes.size())) state_->require(ARCHIVE_FATAL);
}

void TarWriter::finish() {
  state_->require(archive_write_close(state_->handle));
  sync_file(state_->opened, state_->shown);
  rename_file(state_->temporary, state_->file);
  state_->temporary.clear();
}

void read_tar(const fs::path& file, const std::function<void(const TarEntry&)>& seen) {
  const std::string shown = "archive '" + file.string() + "'";
  const File opened = open_for_reading(file, shown, true);
  const ReadArchive archive;
  archive_read_support_format_tar(archive.handle);
  if (archive_read_open_fd(archive.handle, opened.get(), kPieceBytes) != ARCHIVE_OK)
    throw_damage(shown, archive.handle);
  std::vector<char> buffer(kPieceBytes);
  archive_entry* entry = nullptr;
  for (;;) {
    const int result = archive_read_next_header(archive.handle, &entry);
    if (result == ARCHIVE_EOF) return;
    if (result != ARCHIVE_OK) throw_damage(shown, archive.handle);
    if (is_directory(entry)) continue;
    TarEntry told{safe_name(entry, shown), static_cast<std::uint64_t>(archive_entry_size(entry)), {}};
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr ||
        archive_entry_size(entry) < 0)
      throw Error(RH_UNSAFE_NAME, shown + ": '" + told.name + "' is not a regular file");
    told.data = [&](const std::function<bool(std::string_view)>& piece) {
      for (;;) {
        const la_ssize_t count = archive_read_data(archive.handle, buffer.data(), buffer.size());
        if (count < 0) throw_damage(shown, archive.handle);
        if (count == 0 || !piece({buffer.data(), static_cast<std::size_t>(count)})) return;
      }
    };
    seen(told);
  }
}

}  // namespace roundhouse::host
