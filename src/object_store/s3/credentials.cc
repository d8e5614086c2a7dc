#include "object_store/s3/credentials.h"

#include <utility>

namespace strata {
namespace {

// Immutable.
class StaticCredentials final : public CredentialsProvider {
 public:
  explicit StaticCredentials(Credentials credentials)
      : credentials_(
            std::make_shared<const Credentials>(std::move(credentials))) {}

  void Get(Done done) override { done(credentials_); }
  bool Refused(const Credentials&) override { return false; }

 private:
  const std::shared_ptr<const Credentials> credentials_;
};

}  // namespace

std::shared_ptr<CredentialsProvider> MakeStaticCredentials(
    Credentials credentials) {
  return std::make_shared<StaticCredentials>(std::move(credentials));
}

}  // namespace strata
