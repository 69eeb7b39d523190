// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/create_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "host/app/convert.h"
#include "host/server/ollama/entries.h"
#include "host/server/ollama/reference.h"
#include "host/server/use_cases.h"
#include "host/store/assembly.h"
#include "host/store/gguf_header.h"
#include "host/store/model_files.h"
#include "host/store/model_intake.h"

namespace roundhouse::host::ollama {
namespace {

template <typename Value, typename Read>
void take(std::optional<Value>& target, const std::optional<Read>& value) {
  if (value) target = static_cast<Value>(*value);
}

// Names of Ollama's, and those of ModelSpecs for what makes images.
ModelDefaults read_parameters(const JsonFields& fields) {
  constexpr std::int64_t kMost = INT32_MAX;
  ModelDefaults defaults;
  for (const auto& [name, value] : fields.value().items()) {
    if (name == "temperature") {
      take(defaults.temperature, fields.number(name, 0, 100));
    } else if (name == "top_p") {
      take(defaults.top_p, fields.number(name, 0, 1));
    } else if (name == "num_predict") {
      take(defaults.max_tokens, fields.integer(name, 1, kMost));
    } else if (name == "num_ctx") {
      take(defaults.context, fields.integer(name, 1, kMost));
    } else if (name == "stop") {
      for (const nlohmann::json& stop : fields.list(name).value_or(nlohmann::json::array())) {
        if (!stop.is_string()) fields.refuse(name, "is not a string");
        defaults.stop.push_back(stop.get<std::string>());
      }
    } else if (name == "steps") {
      take(defaults.steps, fields.integer(name, 1, 50));
    } else if (name == "guidance") {
      take(defaults.guidance, fields.number(name, 0, 20));
    } else if (name == "width" || name == "height") {
      take(name == "width" ? defaults.width : defaults.height, fields.integer(name, 16, 2048));
    } else {
      fields.refuse(name, "is a parameter that models do not have here");
    }
  }
  return defaults;
}

std::map<std::string, Digest> read_files(const JsonFields& fields) {
  std::map<std::string, Digest> files;
  const auto object = fields.object("files");
  if (!object) return files;
  for (const auto& [path, value] : object->value().items()) {
    require_safe_path(path, "files");
    const auto digest = Digest::parse(object->text(path).value_or(""));
    if (!digest) object->refuse(path, "is not a digest, expected sha256: and 64 hexadecimal digits");
    // A text model's only file, whatever it was called where it came from.
    const bool only = object->value().size() == 1 && path.ends_with(".gguf");
    files.emplace(only ? "model.gguf" : path, *digest);
  }
  return files;
}

// `license` may be several texts.
std::optional<std::string> read_license(const JsonFields& fields) {
  const auto list = fields.list("license");
  if (!list) return std::nullopt;
  std::string text;
  for (const nlohmann::json& part : *list) {
    if (!part.is_string()) fields.refuse("license", "is not a string");
    text += (text.empty() ? "" : "\n") + part.get<std::string>();
  }
  return text;
}

template <typename Value>
void prefer(std::optional<Value>& target, const std::optional<Value>& given) {
  if (given) target = given;
}

void override_spec(ModelSpec& spec, const CreateRequest& request) {
  if (request.prompt_template) spec.prompt_template = *request.prompt_template;
  if (request.system) spec.system_prompt = *request.system;
  if (request.license) spec.license = *request.license;
  prefer(spec.defaults.temperature, request.defaults.temperature);
  prefer(spec.defaults.top_p, request.defaults.top_p);
  prefer(spec.defaults.max_tokens, request.defaults.max_tokens);
  prefer(spec.defaults.context, request.defaults.context);
  prefer(spec.defaults.steps, request.defaults.steps);
  prefer(spec.defaults.guidance, request.defaults.guidance);
  prefer(spec.defaults.width, request.defaults.width);
  prefer(spec.defaults.height, request.defaults.height);
  if (!request.defaults.stop.empty()) spec.defaults.stop = request.defaults.stop;
}

class Creation {
 public:
  Creation(const Services& services, const http::Exchange& exchange, Uploads& uploads,
           const CreateRequest& request, ProgressLines& lines)
      : services_(services),
        context_(context_of(services, exchange)),
        uploads_(uploads),
        request_(request),
        lines_(lines),
        intake_(services.store_root) {}

  void run() {
    ModelSpec spec;
    if (request_.from) spec = take_model(parse_reference(*request_.from).model);
    for (const auto& [path, digest] : request_.files)
      take_upload(place_of(path, digest), digest);
    const ModelDirectory inspected = intake_.inspect("model '" + request_.name.text() + "'", context_.check);
    ImportOptions options;
    options.provenance.tool = context_.tool();
    options.source = request_.from.value_or("uploaded files");
    spec.architecture = inspected.architecture;
    override_spec(spec, request_);
    options.spec = std::move(spec);
    if (request_.quantize) return quantize(inspected, std::move(options));
    lines_.status("writing manifest");
    intake_.finish(request_.name, inspected, options, options.source);
  }

 private:
  // The files that were taken in are the source; unless a name needs them, gc frees them.
  void quantize(const ModelDirectory& inspected, ImportOptions options) {
    options.provenance.kind = "conversion";
    options.spec->format.clear();
    options.spec->quantization.clear();
    ConvertEngines engines = convert_engines(services_);
    const ConvertedModel model{
        inspected.path, manifest_, request_.name, {*request_.quantize, "", std::nullopt}, std::move(options)};
    const std::string doing = "quantizing model to " + *request_.quantize;
    lines_.status(doing);
    const ProgressCallback seen = lines_.seen("quantizing");
    store_converted(context_, engines, model, [&](const std::string& verb) -> ProgressCallback {
      if (!verb.starts_with("converting")) return [this](const StoreProgress&) { lines_.check(); };
      return [&](const StoreProgress& progress) {
        seen({"model to " + *request_.quantize, progress.done, progress.total});
      };
    });
    lines_.status("writing manifest");
  }

  // The files of a model that is here; of one in the store nothing is read.
  ModelSpec take_model(const std::string& name) {
    const Listed model = listed_model(services_, name);
    if (model.stored) {
      take_stored(*model.stored);
    } else {
      for (const SourceFile& file : model_files(model.directory)) {
        lines_.status("using existing layer " + file.path);
        intake_.add(file.path, intake_.writer().place(file.file, file.path, LinkMode::automatic, seen_));
      }
    }
    ModelSpec spec = model.spec;
    spec.name.clear();
    spec.file.clear();
    spec.version.clear();
    return spec;
  }

  void take_stored(const StoredModel& model) {
    if (request_.files.empty()) manifest_ = model.digest;
    const Store store(services_.store_root);
    const ModelManifest manifest = store.manifest(model);
    const ModelConfig config = store.config(model, manifest);
    for (const ModelFile& file : manifest.files) {
      if (!intake_.writer().keep(file.digest, file.size)) {
        throw Error(RH_INTEGRITY_MISMATCH,
                    "file '" + file.path + "': blob " + file.digest.brief() + ".. is missing or damaged");
      }
      lines_.status("using existing layer " + file.digest.text());
      const auto record = config.weights.find(file.path);
      intake_.add(file.path, {file.digest, file.size, Placed::present,
                              record == config.weights.end() ? std::nullopt : std::optional(record->second)});
    }
  }

  // Where an uploaded file goes: what is an image model's transformer alone takes the place of the model's
  // own, as import does it. What no engine would look at beside an image model is refused.
  std::string place_of(const std::string& path, const Digest& digest) {
    if (path.find('/') != std::string::npos || !uploads_.has(digest)) return path;
    const std::string shown = "files: '" + path + "'";
    const WeightFormat format = weight_format_of(uploads_.path(digest));
    const bool image = intake_.has("model_index.json");
    const bool transformer =
        format == WeightFormat::gguf && is_image_transformer(read_gguf_header(uploads_.path(digest), shown));
    if (!image || format == WeightFormat::neither) return path;
    if (!transformer)
      throw Error(RH_INVALID_ARGUMENT,
                  shown + ": is neither a file of a component nor an image model's transformer in GGUF",
                  "name files as they lie in the model: transformer/..., text_encoder/..., vae/...");
    intake_.drop_weights("transformer");
    return "transformer/diffusion_pytorch_model.gguf";
  }

  void take_upload(const std::string& path, const Digest& digest) {
    if (!uploads_.has(digest)) {
      throw Error(RH_WEIGHTS_MISSING, "files: blob " + digest.text() + " of '" + path + "' is not here",
                  "send it first: POST /api/blobs/" + digest.text());
    }
    lines_.status("creating new layer " + digest.text());
    const auto placed = intake_.writer().find(uploads_.path(digest), path, seen_);
    if (!placed) throw Error(RH_IO_ERROR, "file '" + path + "': blob " + digest.text() + " is gone");
    intake_.add(path, *placed);
  }

  const Services& services_;
  const AppContext context_;
  Uploads& uploads_;
  const CreateRequest& request_;
  ProgressLines& lines_;
  const PieceCallback seen_ = [this](std::string_view) { lines_.check(); };
  std::optional<Digest> manifest_;  // of the stored model that all files are of
  ModelIntake intake_;
};

// None for none. Ollama's names of k-quants say in which mix; here there is one.
std::optional<std::string> read_type(const JsonFields& fields) {
  std::string type = fields.text("quantize").value_or("");
  if (type.empty()) return std::nullopt;
  std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  if (type.ends_with("_k_m") || type.ends_with("_k_s")) type.resize(type.size() - 2);
  const auto found = quantised_types().find(type);
  if (found != quantised_types().end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, meaning] : quantised_types())
    names.push_back(name);
  fields.refuse("quantize", fmt::format("is not known, expected one of: {}", fmt::join(names, ", ")));
}

}  // namespace

CreateRequest read_create_request(const JsonFields& fields) {
  CreateRequest request{
      ModelName::parse(parse_reference(model_field(fields)).model), {}, {}, {}, {}, {}, {}, {}};
  for (const char* field : {"adapters", "messages"}) {
    if (fields.has(field)) fields.refuse(field, "has no meaning for the models of this server");
  }
  request.quantize = read_type(fields);
  request.from = fields.text("from");
  request.files = read_files(fields);
  if (!request.from && request.files.empty())
    throw Error(RH_INVALID_ARGUMENT, "from: is missing, expected the name of a model, or files");
  request.prompt_template = fields.text("template");
  request.system = fields.text("system");
  request.license = read_license(fields);
  if (const auto parameters = fields.object("parameters")) request.defaults = read_parameters(*parameters);
  return request;
}

void create_model(const Services& services, const http::Exchange& exchange, Uploads& uploads,
                  const CreateRequest& request, ProgressLines& lines) {
  Creation(services, exchange, uploads, request, lines).run();
}

}  // namespace roundhouse::host::ollama
