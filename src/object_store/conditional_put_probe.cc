#include "object_store/conditional_put_probe.h"

#include <utility>

namespace strata {
namespace {

// Its steps follow each other; kept alive by its requests.
class Probe : public std::enable_shared_from_this<Probe> {
 public:
  using Done = ObjectStore::Done<Result<ConditionalPuts>>;

  Probe(std::shared_ptr<ObjectStore> store, std::string key,
        ObjectRequest request, Done done)
      : store_(std::move(store)),
        key_(std::move(key)),
        request_(std::move(request)),
        done_(std::move(done)) {}

  void Start() { Put("probe", PutPrecondition::None(), &Probe::PlainPutDone); }

 private:
  using Step = void (Probe::*)(const Result<ObjectVersion>&);

  void Put(std::string bytes, PutPrecondition precondition, Step next) {
    store_->Put(
        key_, MakeStringSource(std::move(bytes)), std::move(precondition),
        request_,
        [self = shared_from_this(), next](
            const Result<ObjectVersion>& version) { (*self.*next)(version); });
  }

  // Whether a put under a condition that does not hold was refused for that.
  // An error ends the probe.
  bool Refused(const Result<ObjectVersion>& put, bool& honoured) {
    const StatusCode code = put.status().code();
    honoured = code == StatusCode::kConflict;
    const bool told = honoured || put.ok() || code == StatusCode::kUnsupported;
    if (!told) Finish(put.status());
    return told;
  }

  void PlainPutDone(const Result<ObjectVersion>& put) {
    if (!put.ok()) return Finish(put.status());
    version_ = *put;
    Put("overwritten", PutPrecondition::Absent(), &Probe::AbsentPutDone);
  }

  void AbsentPutDone(const Result<ObjectVersion>& put) {
    if (!Refused(put, found_.if_absent)) return;
    if (put.ok()) version_ = *put;
    if (version_.empty()) return Finish(found_);  // nothing to go by
    // The first letter of a version is changed to make another one.
    ObjectVersion other = version_;
    other.front() = other.front() == '0' ? '1' : '0';
    Put("overwritten too", PutPrecondition::IfVersion(std::move(other)),
        &Probe::OtherVersionPutDone);
  }

  void OtherVersionPutDone(const Result<ObjectVersion>& put) {
    if (!Refused(put, found_.if_version)) return;
    if (!found_.if_version) return Finish(found_);
    Put("replaced", PutPrecondition::IfVersion(version_),
        &Probe::SameVersionPutDone);
  }

  // One that refuses what holds, too, is of no use either.
  void SameVersionPutDone(const Result<ObjectVersion>& put) {
    const StatusCode code = put.status().code();
    if (!put.ok() && code != StatusCode::kConflict) return Finish(put.status());
    found_.if_version = put.ok();
    Finish(found_);
  }

  void Finish(Result<ConditionalPuts> answer) {
    store_->Delete(
        key_, request_,
        [self = shared_from_this(), answer = std::move(answer)](const Status&) {
          // What stays of it is small, and there again next time.
          self->done_(answer);
        });
  }

  const std::shared_ptr<ObjectStore> store_;
  const std::string key_;
  const ObjectRequest request_;
  const Done done_;
  ObjectVersion version_;
  ConditionalPuts found_;
};

}  // namespace

void ProbeConditionalPuts(std::shared_ptr<ObjectStore> store, std::string key,
                          ObjectRequest request,
                          ObjectStore::Done<Result<ConditionalPuts>> done) {
  std::make_shared<Probe>(std::move(store), std::move(key), std::move(request),
                          std::move(done))
      ->Start();
}

}  // namespace strata
