// SPDX-License-Identifier: Apache-2.0
// Certificates: whom the client believes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "host/transport/http_client.h"
#include "tests/host/store/temporary_directory.h"
#include "tests/host/transport/proxy_server.h"
#include "tests/host/transport/tls_server.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

class Tls : public ::testing::Test {
 protected:
  // An authority of the test, and a certificate by it for the name localhost.
  void SetUp() override {
    const std::string script = "cd " + directory_.path().string() +
                               " && K='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes' &&"
                               " openssl req -x509 $K -keyout ca.key -out ca.pem -days 2 -subj /CN=test &&"
                               " openssl req $K -keyout key.pem -out server.csr -subj /CN=localhost &&"
                               " printf 'subjectAltName=DNS:localhost\\n' > extensions &&"
                               " openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
                               "-days 2 -extfile extensions"
                               " -out server.pem";
    ASSERT_EQ(std::system(("{ " + script + "; } >" + directory_.path().string() + "/log 2>&1").c_str()), 0);
    server_ = std::make_unique<test::TlsServer>(directory_.path() / "server.pem",
                                                directory_.path() / "key.pem", answer_);
  }

  std::string fetched(const std::string& host, const std::string& ca_file, const std::string& proxy = "") {
    HttpOptions options;
    options.proxies = ProxyRules::from(
        [&](const std::string& name) { return name == "https_proxy" ? std::optional(proxy) : std::nullopt; });
    options.ca_file = ca_file;
    HttpRequest request;
    request.url = Url::parse("https://" + host + ":" + std::to_string(server_->port()) + "/");
    try {
      return HttpClient(options).fetch(request, 1000).body;
    } catch (const HttpFailure& failure) {
      EXPECT_EQ(failure.step(), HttpFailure::Step::tls) << failure.what();
      return failure.what();
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
  }
  std::string authority() const { return directory_.path() / "ca.pem"; }

  TemporaryDirectory directory_;
  std::string answer_ = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  std::unique_ptr<test::TlsServer> server_;
};

TEST_F(Tls, AnAuthorityThatIsTrustedVouchesForTheName) {
  EXPECT_EQ(fetched("localhost", authority()), "hello");
}

TEST_F(Tls, TheServerBehindATunnelIsTheOneThatIsBelieved) {
  test::ProxyServer proxy;
  proxy.login = "Basic bWU6c2VjcmV0";
  EXPECT_EQ(fetched("localhost", authority(), "me:secret@" + proxy.address()), "hello");
  ASSERT_EQ(proxy.heads().size(), 1U);
  EXPECT_THAT(proxy.heads()[0], testing::StartsWith("CONNECT localhost:" + std::to_string(server_->port())));
  EXPECT_THAT(fetched("other.example", authority(), "me:secret@" + proxy.address()),
              HasSubstr("host 'other.example:" + std::to_string(server_->port()) + "' through proxy '" +
                        proxy.address() + "': certificate is not trusted"));
}

TEST_F(Tls, AnAuthorityThatIsUnknownDoesNot) {
  EXPECT_THAT(fetched("localhost", ""), HasSubstr("certificate is not trusted: "));
}

TEST_F(Tls, TheVariableOfTheSystemNamesAuthorities) {
  ::setenv("SSL_CERT_FILE", authority().c_str(), 1);
  const std::string body = fetched("localhost", "");
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_EQ(body, "hello");
}

TEST_F(Tls, ACertificateIsForItsNameOnly) {
  EXPECT_THAT(fetched("127.0.0.1", authority()),
              HasSubstr("certificate is not trusted: IP address mismatch"));
}

TEST_F(Tls, AFileOfCertificatesThatIsNoneIsSaid) {
  EXPECT_THAT(fetched("localhost", directory_.path() / "absent"),
              testing::StartsWith("IO_ERROR: certificates '"));
}

TEST_F(Tls, NothingLeadsFromTlsToPlainHttp) {
  server_.reset();
  answer_ = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
  server_ = std::make_unique<test::TlsServer>(directory_.path() / "server.pem", directory_.path() / "key.pem",
                                              answer_);
  EXPECT_THAT(fetched("localhost", authority()), HasSubstr("leads from https to plain http"));
}

TEST_F(Tls, ABodyThatEndsWithoutNoticeIsCut) {
  // Until the connection ends: only TLS can tell a whole body from a cut one.
  answer_ = "HTTP/1.1 200 OK\r\n\r\nall";
  server_ = std::make_unique<test::TlsServer>(directory_.path() / "server.pem", directory_.path() / "key.pem",
                                              answer_);
  EXPECT_EQ(fetched("localhost", authority()), "all");
}

}  // namespace
}  // namespace roundhouse::host
