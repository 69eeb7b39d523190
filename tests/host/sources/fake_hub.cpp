// SPDX-License-Identifier: Apache-2.0
#include "tests/host/sources/fake_hub.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "host/store/digest.h"

namespace roundhouse::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

ServerReply error(unsigned status, const std::string& code, const std::string& message) {
  return {status,
          {{"X-Error-Code", code}, {"X-Error-Message", message}, {"Content-Type", "application/json"}},
          json{{"error", message}}.dump()};
}

ServerReply json_reply(const json& body) {
  return {200, {{"Content-Type", "application/json; charset=utf-8"}}, body.dump()};
}

std::string git_sha1(const std::string& content) {
  host::GitBlobSha1 hash(content.size());
  hash.update(content);
  return hash.finish();
}

json listed(const std::string& path, const HubEntry& entry) {
  const std::string& content = entry.content;
  if (!entry.large)
    return {{"type", "file"}, {"oid", git_sha1(content)}, {"size", content.size()}, {"path", path}};
  const std::string sha256 = host::sha256(content).hex();
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256 + "\nsize " +
                              std::to_string(content.size()) + "\n";
  return {{"type", "file"},
          {"oid", git_sha1(pointer)},
          {"size", content.size()},
          {"lfs", {{"oid", sha256}, {"size", content.size()}, {"pointerSize", pointer.size()}}},
          {"path", path}};
}

}  // namespace

FakeHub::FakeHub()
    : content_([this](const ServerRequest& request) { return answer_content(request); }),
      wire_(content_.port()),
      hub_([this](const ServerRequest& request) { return answer(request); }) {
}

void FakeHub::add_directory(const fs::path& directory) {
  for (const auto& entry :
       fs::recursive_directory_iterator(directory, fs::directory_options::follow_directory_symlink)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files[fs::path(entry.path()).lexically_relative(directory).generic_string()] = {
        {std::istreambuf_iterator<char>(stream), {}}, entry.path().extension() == ".safetensors"};
  }
}

ServerReply FakeHub::answer(const ServerRequest& request) {
  if (instead) {
    if (auto reply = instead(request)) return *reply;
  }
  if (token && request.get("authorization") != "Bearer " + *token)
    return error(401, "RepoNotFound", "Repository not found");
  const std::string path = request.path();
  const std::string api = std::string("/api/models/") + kRepository;
  const std::string resolve = std::string("/") + kRepository + "/resolve/";
  if (path == api || path.starts_with(api + "/")) return answer_api(path.substr(api.size()), request);
  if (path.starts_with(resolve)) return answer_file(path.substr(resolve.size()), request);
  return error(404, "RepoNotFound", "Repository not found");
}

ServerReply FakeHub::answer_api(const std::string& path, const ServerRequest& request) {
  const std::string commit = kCommit;
  for (const std::string& revision : {std::string("main"), commit}) {
    if (path == "/tree/" + revision) return listing(request);
    if (!path.empty() && path != "/revision/" + revision) continue;
    json siblings = json::array();
    for (const auto& [name, entry] : files)
      siblings.push_back({{"rfilename", name}});
    return json_reply({{"id", kRepository},
                       {"modelId", kRepository},
                       {"sha", commit},
                       {"private", false},
                       {"gated", false},
                       {"tags", json::array()},
                       {"siblings", siblings}});
  }
  return error(404, "RevisionNotFound", "Invalid rev id");
}

ServerReply FakeHub::listing(const ServerRequest& request) {
  const std::string cursor = request.query("cursor");
  std::size_t skip = cursor.empty() ? 0 : std::stoul(cursor), place = 0;
  json entries = json::array();
  bool more = false;
  for (const auto& [path, entry] : files) {
    if (place++ < skip) continue;
    more = entries.size() == page;
    if (more) break;
    entries.push_back(listed(path, entry));
  }
  ServerReply reply = json_reply(entries);
  if (edit_listing) edit_listing(reply.body);
  if (more)
    reply.headers.emplace_back("Link", "<" + endpoint() + request.path() + "?recursive=true&cursor=" +
                                           std::to_string(skip + page) + ">; rel=\"next\"");
  return reply;
}

ServerReply FakeHub::answer_file(const std::string& path, const ServerRequest& request) {
  const std::size_t slash = path.find('/');
  const std::string revision = path.substr(0, slash);
  if (revision != "main" && revision != kCommit) return error(404, "RevisionNotFound", "Invalid rev id");
  const auto found = files.find(path.substr(slash + 1));
  if (found == files.end()) return error(404, "EntryNotFound", "Entry not found");
  const HubEntry& entry = found->second;
  if (!entry.large) {
    ServerReply reply = piece(request, entry.content);
    reply.headers.emplace_back("ETag", "\"" + git_sha1(entry.content) + "\"");
    reply.headers.emplace_back("X-Repo-Commit", kCommit);
    return reply;
  }
  const std::string sha256 = host::sha256(entry.content).hex();
  return {302,
          {{"Location", "http://" + wire_.address() + "/cdn/" + sha256 + "?signature=secret"},
           {"X-Linked-Etag", "\"" + sha256 + "\""},
           {"X-Linked-Size", std::to_string(entry.content.size())},
           {"X-Repo-Commit", kCommit}},
          "Found. Redirecting"};
}

ServerReply FakeHub::answer_content(const ServerRequest& request) {
  if (instead) {
    if (auto reply = instead(request)) return *reply;
  }
  for (const auto& [path, entry] : files) {
    const std::string sha256 = host::sha256(entry.content).hex();
    if (!entry.large || request.path() != "/cdn/" + sha256) continue;
    ServerReply reply = piece(request, entry.content);
    reply.headers.emplace_back("ETag", "\"" + sha256 + "\"");
    return reply;
  }
  return {404, {}, "no such object"};
}

ServerReply FakeHub::piece(const ServerRequest& request, const std::string& content) {
  const std::string range = request.get("range");
  ServerReply reply{200, {{"Accept-Ranges", "bytes"}}, content};
  if (range.starts_with("bytes=")) {
    const std::size_t dash = range.find('-');
    const std::size_t begin = std::stoul(range.substr(6, dash - 6));
    const std::string end_text = range.substr(dash + 1);
    const std::size_t end =
        end_text.empty() ? content.size() : std::min(content.size(), std::stoul(end_text) + 1);
    if (begin >= content.size())
      return {416, {{"Content-Range", "bytes */" + std::to_string(content.size())}}, ""};
    reply.status = 206;
    reply.body = content.substr(begin, end - begin);
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(begin) + "-" +
                                                    std::to_string(end - 1) + "/" +
                                                    std::to_string(content.size()));
  }
  if (request.method != "HEAD") served_ += reply.body.size();
  return reply;
}

}  // namespace roundhouse::test
