// SPDX-License-Identifier: Apache-2.0
// dlopen, dlsym and what they do not check.
#include "host/loading/library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include "host/loading/elf_file.h"
#include "host/loading/plugin_error.h"

namespace roundhouse::host {
namespace {

std::string linker_error() {
  const char* text = ::dlerror();
  return text == nullptr ? "no reason was given" : text;
}

std::string version_text(std::uint32_t version) {
  return fmt::format("{}.{}", version >> 16, version & 0xffff);
}

void* open_library(const std::string& engine, const std::filesystem::path& library) {
  void* handle = without_exceptions(engine, "loading the library",
                                    [&] { return ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL); });
  if (handle != nullptr) return handle;
  const std::string reason = linker_error();
  const Error error =
      broken(engine, rule::kLoadable, "library '" + library.string() + "' cannot be loaded: " + reason);
  if (reason.find("cannot open shared object file") == std::string::npos) throw error;
  throw Error(error.code(), error.what(), "install the library that the message names");
}

// The symbol has to be data of this very library, large enough for what is read next: dlsym would also return
// a function, or a symbol of something that the library links to.
void check_symbol(const std::string& engine, void* handle, const void* symbol) {
  const std::string name = RH_PLUGIN_ENTRY_SYMBOL;
  Dl_info info{};
  void* found = nullptr;
  void* holder = nullptr;
  link_map* own = nullptr;
  const bool known = ::dlinfo(handle, RTLD_DI_LINKMAP, &own) == 0 &&
                     ::dladdr1(symbol, &info, &holder, RTLD_DL_LINKMAP) != 0 &&
                     ::dladdr1(symbol, &info, &found, RTLD_DL_SYMENT) != 0;
  if (!known || found == nullptr) {
    throw incompatible(engine, rule::kEntrySymbol, name + " is not a symbol of the library");
  }
  if (holder != own) {
    throw incompatible(engine, rule::kEntrySymbol,
                       name + " comes from '" + info.dli_fname + "', expected the library itself");
  }
  const auto* entry = static_cast<const ElfW(Sym)*>(found);
  if (ELF64_ST_TYPE(entry->st_info) != STT_OBJECT) {
    throw incompatible(engine, rule::kEntrySymbol, name + " is not data, expected an object");
  }
  if (entry->st_size < floor_size<rh_plugin_entry_v1>) {
    throw incompatible(engine, rule::kEntrySymbol,
                       fmt::format("{} has {} bytes, expected at least {}", name, entry->st_size,
                                   floor_size<rh_plugin_entry_v1>));
  }
}

void check_entry(const std::string& engine, const rh_plugin_entry_v1& entry) {
  const std::string problem = problem_of_record(RH_PLUGIN_ENTRY_SYMBOL, &entry);
  if (!problem.empty()) throw incompatible(engine, rule::kEntry, problem);
  if (entry.abi_version >> 16 != RH_ABI_MAJOR) {
    throw incompatible(engine, rule::kEntry,
                       "the library speaks ABI " + version_text(entry.abi_version) + ", this host speaks " +
                           version_text(RH_ABI_VERSION));
  }
  const char* missing = entry.init == nullptr          ? "init"
                        : entry.deinit == nullptr      ? "deinit"
                        : entry.get_factory == nullptr ? "get_factory"
                                                       : nullptr;
  if (missing == nullptr) return;
  throw incompatible(engine, rule::kEntry, std::string(missing) + " is NULL, expected a function");
}

}  // namespace

const rh_plugin_entry_v1& load_library(const std::string& engine, const std::filesystem::path& library) {
  check_elf_file(engine, library);
  void* handle = open_library(engine, library);
  const void* symbol = ::dlsym(handle, RH_PLUGIN_ENTRY_SYMBOL);
  if (symbol == nullptr) {
    throw incompatible(engine, rule::kEntrySymbol,
                       "library '" + library.string() + "' exports no " RH_PLUGIN_ENTRY_SYMBOL);
  }
  check_symbol(engine, handle, symbol);
  const auto& entry = *static_cast<const rh_plugin_entry_v1*>(symbol);
  check_entry(engine, entry);
  return entry;
}

}  // namespace roundhouse::host
