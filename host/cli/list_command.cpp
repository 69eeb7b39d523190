// SPDX-License-Identifier: Apache-2.0
// `roundhouse list`: the models that are here, a line each.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/table.h"
#include "host/cli/text.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

class ListCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command(
        "list", "List the models that are here: those of the store, and directories ('models' says more)");
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const ModelCatalogue catalogue = program.models();
    const Store store = program.store();
    std::vector<StoredModel> stored;
    if (catalogue.problems().empty()) stored = store.list();
    Table rows({"NAME", "ID", "SIZE", "CREATED", "WHERE"});
    for (const auto& entry : catalogue.entries()) {
      if (!entry.present && !entry.problem) continue;
      const auto found = std::find_if(stored.begin(), stored.end(), [&](const auto& m) {
        return entry.stored && m.name == entry.spec.name;
      });
      const StoredModel* model = found == stored.end() ? nullptr : &*found;
      const std::uint64_t bytes = entry.stored ? entry.bytes : directory_bytes(entry.directory);
      models_.push_back(row_json(entry, model, bytes));
      rows.add({entry.spec.name, model == nullptr ? "-" : model->digest.brief(),
                entry.problem ? "damaged" : human_bytes(bytes),
                model == nullptr ? "-" : or_dash(model->created),
                entry.stored ? "store" : entry.directory.string()});
    }
    store_ = store.root().string();
    problems_ = catalogue.problems();
    if (!json()) print(rows.empty() ? "no models are here: 'roundhouse import' takes one in\n" : rows.text());
    if (!problems_.empty()) throw verdict();
    if (json()) print_json(partial());
    return 0;
  }

  OrderedJson partial() const override {
    OrderedJson object;
    object["store"] = store_;
    object["models"] = models_;
    object["problems"] = OrderedJson::array();
    for (const Error& problem : problems_)
      object["problems"].push_back(error_json(problem));
    return object;
  }

 private:
  static std::uint64_t directory_bytes(const std::filesystem::path& directory) {
    std::uint64_t bytes = 0;
    std::error_code error;
    const auto options = std::filesystem::directory_options::follow_directory_symlink;
    for (std::filesystem::recursive_directory_iterator it(directory, options, error), end;
         !error && it != end; it.increment(error)) {
      std::error_code gone;
      if (it.depth() > 16) it.disable_recursion_pending();
      if (it->is_regular_file(gone)) bytes += it->file_size(gone);
    }
    return bytes;
  }

  static OrderedJson row_json(const ModelCatalogue::Entry& entry, const StoredModel* model,
                              std::uint64_t bytes) {
    OrderedJson row;
    row["name"] = entry.spec.name;
    row["digest"] = model == nullptr ? OrderedJson(nullptr) : OrderedJson(model->digest.text());
    row["bytes"] = bytes;
    row["created"] =
        model == nullptr || model->created.empty() ? OrderedJson(nullptr) : OrderedJson(model->created);
    row["stored"] = entry.stored;
    row["directory"] = entry.stored ? OrderedJson(nullptr) : OrderedJson(entry.directory.string());
    row["problem"] = entry.problem ? error_json(*entry.problem) : OrderedJson(nullptr);
    return row;
  }

  // The list is not all that there may be: nobody shall take it for that.
  Error verdict() const {
    const Error& first = problems_.front();
    return {first.code(),
            first.what() + (problems_.size() == 1 ? "" : fmt::format(" (and {} more)", problems_.size() - 1)),
            std::string(first.hint())};
  }

  std::string store_;
  OrderedJson models_ = OrderedJson::array();
  std::vector<Error> problems_;
};

}  // namespace

std::unique_ptr<Command> make_list_command() {
  return std::make_unique<ListCommand>();
}

}  // namespace roundhouse::host
