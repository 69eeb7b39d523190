// SPDX-License-Identifier: Apache-2.0
// Models by name or directory: what they are, where they lie, what they allow, and whether they are complete.
// Loads no weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/manifest/manifest.h"
#include "host/task/model_reference.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Defaults of requests to a model; what is absent falls back to the program's own (8 steps, no guidance,
// 1024x1024).
struct ModelDefaults {
  std::optional<std::uint32_t> steps, width, height;
  std::optional<double> guidance, cfg_normalization, cfg_truncation;
  std::optional<std::string> sampler, schedule, negative_prompt;
  // Of models that write text.
  std::optional<double> temperature, top_p;
  std::optional<std::uint32_t> max_tokens, context;
  std::optional<bool> think;  // the template's variable enable_thinking
  std::vector<std::string> stop;
};

// Sizes that a model takes. The engine's hard rule (multiples of 16 from 16 to 2048) stands for a bare
// directory.
struct SizeLimits {
  std::uint32_t minimum = 16, maximum = 2048, multiple_of = 16;
};

// What a model, or one component of it, is made from where that is not a path.
struct ModelBase {
  std::string repository;  // of a Hugging Face hub: "org/name"
  std::string revision;    // a commit, or what may move: a branch; empty: main
  std::string model;       // or a model by name or directory

  bool empty() const { return repository.empty() && model.empty(); }
  // Whether the revision is the 40 hexadecimal digits of a commit, which stands for the same files for ever.
  bool pinned() const;
};

// A folder of a model in its source. Without a base of its own it is of the model's base.
struct ModelComponent {
  std::string name;                // the folder, here and there
  std::vector<std::string> files;  // allow-patterns of its files; empty: those that components have
  std::optional<ModelBase> base;
};

// A recipe of manifests/models/*.yaml, schema 1; docs/modelspec.md describes it.
struct ModelSpec {
  std::filesystem::path file;
  std::string name, title, description, license, architecture;
  std::filesystem::path path;        // as written: relative to the spec, or to the user's model directory
  std::vector<std::string> aliases;  // other names, also as hubs have them: ORG/NAME
  ModelBase base;
  std::vector<std::string> files;  // allow-patterns of the source's files outside of components
  std::vector<ModelComponent> components;
  std::optional<std::uint64_t> maximum_bytes;  // that a source may send
  std::string version;                         // of the recipe's product: the @VERSION of its name
  std::string format;                          // of the weights; empty: what is there
  std::string quantization;                    // none, int8, int4, fp16; empty: none
  std::string tokenizer;                       // directory in the model; empty: what model_index.json says
  std::string prompt_template;                 // text, or a file in the model
  std::string system_prompt;
  ModelDefaults defaults;
  SizeLimits size;
};
// Letters, digits and . _ - : @ after a letter or digit; no "..", at most 128 bytes.
bool is_plain_model_name(const std::string& name);

// Throws MODEL_INVALID with file, line and field of the first thing that is wrong.
ModelSpec read_model_spec(const std::filesystem::path& file);
// The same of a text; `file` names it in messages.
ModelSpec parse_model_spec(const std::string& text, const std::filesystem::path& file);
// Everything that is wrong with a text; empty when parse_model_spec would take it.
std::vector<Error> model_spec_problems(const std::string& text, const std::filesystem::path& file);
// What parse_model_spec reads, with the path ".".
nlohmann::ordered_json model_spec_json(const ModelSpec& spec);
nlohmann::ordered_json model_defaults_json(const ModelDefaults& defaults);

// A model directory as it lies on disk.
struct ModelDirectory {
  std::filesystem::path path;       // absolute
  std::string architecture;         // "ZImagePipeline", "Qwen3ForCausalLM"
  std::string weight_format;        // "safetensors", or "gguf" when a component is one
  std::vector<std::string> dtypes;  // of its weights: "bf16", ...; from the headers
  std::string main_dtype = {};      // that most of their bytes are of
};
// Reads model_index.json, or config.json or the header of model.gguf of a text model, and checks that every
// file which the components need is there. Throws WEIGHTS_MISSING listing all that is absent at once,
// MODEL_INVALID for damaged JSON or an unknown layout, UNSAFE_NAME for files that lead elsewhere.
ModelDirectory inspect_model_directory(const std::filesystem::path& directory);
// The side of the images that the directory's VAE was made for, as far as it can be used as a default.
std::optional<std::uint32_t> sample_size(const std::filesystem::path& directory);

// What a request's --model stands for.
struct ResolvedModel {
  std::string name;  // the spec's name, or the directory as given
  std::filesystem::path directory;
  std::string architecture;  // from the spec, or the directory
  ModelDefaults defaults;
  SizeLimits size;
  std::optional<ModelSpec> spec;
  std::optional<StoreEntry> stored = {};  // what it is in the store
};

// A recipe without its files: throws MODEL_NOT_FOUND with the command that brings them as the hint, or
// WEIGHTS_MISSING where no source is known.
void require_present(const ResolvedModel& model);

struct StoreProgress;

// Where specs and models are looked for: the store, ROUNDHOUSE_MODEL_PATH (colon-separated), the user's
// directory, <prefix>/share/roundhouse/models (in a build tree that is a link to the source tree's models).
struct ModelSearch {
  std::vector<std::filesystem::path> spec_directories;  // first wins
  std::filesystem::path user_directory;                 // models/ beneath the store's root
  std::filesystem::path store_root = {};                // of host/store/store.h; empty: no store
  bool directories = true;                              // whether a reference may be the path of a directory
  // Patterns of names ('*' and '?', as of files): no other model is there. Empty: all are.
  std::vector<std::string> allowed = {};
  // How far the hashing of a model of the store is, which happens when it is used for the first time. May
  // throw.
  std::function<void(const StoreProgress&)> verifying = {};
};
// `home` is the store's root where a flag names it.
ModelSearch model_search(const std::function<std::optional<std::string>(const std::string&)>& environment,
                         const std::filesystem::path& executable,
                         const std::optional<std::string>& home = std::nullopt);

class ModelCatalogue {
 public:
  explicit ModelCatalogue(ModelSearch search);
  const ModelSearch& search() const { return search_; }

  // `reference` is a name (pocket-turbo) or, when it contains '/' or is "." or "..", a directory, as
  // far as the search takes those (else UNSAFE_NAME); an alias of
  // a recipe stands for the recipe where there is neither. A name of the store comes before all others; its
  // files are known to be what they were when this returns. A bare directory obeys the engine's hard rule and
  // takes its default size from the VAE's sample_size. Throws UNSAFE_NAME, MODEL_NOT_FOUND (naming what there
  // is), INTEGRITY_MISMATCH and WEIGHTS_MISSING for damage in the store. Whether any other directory is
  // complete is for inspect_model_directory to say.
  ResolvedModel resolve(const std::string& reference) const;

  // The recipe of that name, or else the one that has it as an alias.
  std::optional<ModelSpec> find_spec(const std::string& name) const;

  struct Entry {
    ModelSpec spec;
    std::filesystem::path directory;  // a model of the store has one when it is used for the first time
    bool present = false;
    bool stored = false;
    std::uint64_t bytes = 0;       // of the files of a model of the store
    std::optional<Error> problem;  // why what the store holds cannot be used
  };
  std::vector<Entry> entries() const;  // by name; the first of a name wins
  // Spec files that could not be read, and the store's index.
  const std::vector<Error>& problems() const { return problems_; }

  static constexpr const char* kDefaultModel = "pocket-turbo";

 private:
  std::vector<Entry> stored_entries() const;
  std::vector<Entry> other_entries() const;
  bool allows(const std::string& name) const;
  ResolvedModel found(const std::string& reference) const;
  [[noreturn]] void throw_not_found(const std::string& reference) const;
  std::optional<ResolvedModel> resolve_stored(const std::string& reference) const;

  ModelSearch search_;
  std::optional<Error> store_problem_;
  std::vector<ModelSpec> specs_;
  std::vector<Error> problems_;
};

}  // namespace roundhouse::host
