// SPDX-License-Identifier: Apache-2.0
// A daemon on the other side.
#include "host/cli/daemon_client.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/cli/interrupt.h"
#include "host/cli/program.h"
#include "host/cli/serve_settings.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

constexpr std::uint64_t kLargestAnswer = 64 << 20;
constexpr std::size_t kLongestLine = std::size_t{256}
                                     << 20;  // an image of the largest size as text, and more

constexpr std::string_view kUnix = "unix:";

std::string server_text(const DaemonFlags& flags) {
  std::string text = fmt::format("127.0.0.1:{}", ServeSettings().port);
  if (flags.server) {
    text = *flags.server;
  } else if (const auto variable = environment_variable("ROUNDHOUSE_SERVER");
             variable && !variable->empty()) {
    text = *variable;
  }
  return text;
}

// The path of "unix:/run/roundhouse.sock"; empty for other addresses.
std::string unix_socket(const DaemonFlags& flags) {
  const std::string text = server_text(flags);
  if (!text.starts_with(kUnix)) return "";
  if (text.size() == kUnix.size())
    throw Error(RH_INVALID_ARGUMENT, "server 'unix:' names no socket, expected unix:/path");
  return text.substr(kUnix.size());
}

Url server_url(const DaemonFlags& flags) {
  std::string text = server_text(flags);
  if (text.starts_with(kUnix)) return Url::parse("http://localhost/");
  if (text.find("://") == std::string::npos) text = "http://" + text;
  Url url = Url::parse(text);
  if (url.target().find('?') != std::string::npos)
    throw Error(RH_INVALID_ARGUMENT, "server '" + url.shown() + "': has a query, expected http://HOST:PORT");
  return url;
}

std::optional<std::string> api_key(const DaemonFlags& flags) {
  if (flags.api_key_file) return read_api_keys("--api-key-file", *flags.api_key_file).front();
  auto key = environment_variable("ROUNDHOUSE_API_KEY");
  return key && !key->empty() ? key : std::nullopt;
}

HttpOptions http_options(const DaemonFlags& flags, std::chrono::milliseconds silence) {
  HttpOptions options;
  options.silence_timeout = silence;
  options.allow_plain_http = flags.allow_http;
  options.user_agent = "roundhouse/" + program_version();
  options.cancelled = interrupt_noted;
  options.unix_socket = unix_socket(flags);
  return options;
}

[[noreturn]] void rethrow_unreachable(const HttpFailure& failure) {
  using Step = HttpFailure::Step;
  if (failure.step() == Step::connect || failure.step() == Step::name) {
    throw HttpFailure(failure.step(), failure.what(),
                      "start a daemon with 'roundhouse serve', or say with --server where one is");
  }
  if (failure.step() == Step::cut) {
    throw HttpFailure(failure.step(), failure.what(), "the daemon may have ended; its log says why");
  }
  throw;
}

[[noreturn]] void reject(const Url& url, const std::string& what) {
  throw Error(RH_SOURCE_REJECTED, url.shown() + ": " + what + ", expected an answer of Roundhouse's",
              "look at --server and ROUNDHOUSE_SERVER: something else listens there");
}

OrderedJson parsed(const std::string& text) {
  return OrderedJson::parse(text, nullptr, false);
}

std::string member(const OrderedJson& json, const char* name) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// The failure that `json` tells of, in the words of any of the daemon's dialects, or none.
std::optional<Error> failure_in(const OrderedJson& json) {
  const std::string message = member(json, "error");
  if (message.empty()) return std::nullopt;
  for (const char* name : {"error_code", "code"}) {
    const auto code = from_name(member(json, name));
    if (code && *code != RH_OK) return Error(*code, message, member(json, "hint"));
  }
  return std::nullopt;
}

[[noreturn]] void throw_failure(const HttpResponse& response, const std::string& body) {
  if (const auto failure = failure_in(parsed(body))) throw Error(*failure);
  reject(response.url, fmt::format("answered {}", response.status));
}

// Cuts a body into lines.
class Lines {
 public:
  Lines(const Url& url, const std::function<void(const OrderedJson&)>& seen) : url_(url), seen_(seen) {}

  void take(std::string_view bytes) {
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      text_ += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      finish();
    }
    text_ += bytes;
    if (text_.size() > kLongestLine) reject(url_, fmt::format("a line has more than {} bytes", kLongestLine));
  }
  void finish() {
    if (text_.empty()) return;
    const OrderedJson json = parsed(text_);
    text_.clear();
    if (!json.is_object()) reject(url_, "a line is not a JSON object");
    if (const auto failure = failure_in(json)) throw Error(*failure);
    seen_(json);
  }

 private:
  const Url& url_;
  const std::function<void(const OrderedJson&)>& seen_;
  std::string text_;
};

}  // namespace

void DaemonFlags::declare(FlagTable& command, const std::string& server_help) {
  command.group = "Daemon";
  command.add("--server", "URL", server_help, &server);
  command.add("--api-key-file", "FILE",
              "Give the daemon the first key in FILE [default: $ROUNDHOUSE_API_KEY, if set]", &api_key_file);
  command.add("--allow-http", "Use plain http also to a daemon on another machine", &allow_http);
}

DaemonClient::DaemonClient(const DaemonFlags& flags, std::chrono::milliseconds silence)
    : url_(server_url(flags)),
      key_(api_key(flags)),
      socket_(unix_socket(flags)),
      http_(http_options(flags, silence)) {
}

HttpRequest DaemonClient::request(const std::string& method, const std::string& path,
                                  const OrderedJson& body) const {
  std::string base = url_.target();
  while (base.ends_with('/'))
    base.pop_back();
  HttpRequest request;
  request.method = method;
  request.url = url_.with_target(base + path);
  if (key_) request.authorization = "Bearer " + *key_;
  if (body.is_null()) return request;
  request.headers.set("Content-Type", "application/json");
  request.body = json_text(body);
  return request;
}

OrderedJson DaemonClient::fetch(const HttpRequest& request) {
  try {
    const HttpResponse response = http_.fetch(request, kLargestAnswer);
    if (response.status < 200 || response.status > 299) throw_failure(response, response.body);
    OrderedJson json = parsed(response.body);
    if (!json.is_object()) reject(response.url, "the answer is not a JSON object");
    return json;
  } catch (const HttpFailure& failure) {
    rethrow_unreachable(failure);
  }
}

OrderedJson DaemonClient::get(const std::string& path) {
  return fetch(request("GET", path, nullptr));
}

OrderedJson DaemonClient::post(const std::string& path, const OrderedJson& body) {
  return fetch(request("POST", path, body));
}

void DaemonClient::stream(const std::string& path, const OrderedJson& body,
                          const std::function<void(const OrderedJson&)>& line) {
  Lines lines(url_, line);
  HttpSink sink;
  sink.head = [](const HttpResponse& response) { return response.status == 200; };
  sink.bytes = [&](std::string_view bytes) { lines.take(bytes); };
  try {
    const HttpResponse response = http_.stream(request("POST", path, body), sink);
    if (response.status != 200) throw_failure(response, response.body);
    lines.finish();
  } catch (const HttpFailure& failure) {
    rethrow_unreachable(failure);
  }
}

std::string DaemonClient::place() const {
  return socket_.empty() ? url_.shown() : std::string(kUnix) + socket_;
}

}  // namespace roundhouse::host
