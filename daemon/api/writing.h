#pragma once
// What the handlers that write, and those that show what was written, have in common.

#include "api/call.h"
#include "api/findings.h"
#include "api/shapes.h"

namespace dutybook::api {

inline RecordContext context_of(const Call& call, const core::SpaceService& space) {
    RecordContext context{space.facts(), call.services.book->kinds()};
    std::string language = call.language();
    if (!language.starts_with("en")) {
        context.translate = [&services = call.services, language](std::string_view findings) {
            return translated(services, findings, language);
        };
    }
    return context;
}

// A stored record with its findings.
Result<std::string> shown_text(const Call& call, core::SpaceService& space,
                               const store::StoredRecord& record);

// The members of a checked body ({"kind","fields","id"?}) as a create.
void fill_create(core::WriteRequest& request, Json&& body);

// Hands the write to the space's thread; the answer is made on the connection's thread. `status`
// is for something written; what stood already is 200.
void write_and_answer(const CallPtr& call, core::SpaceService& space, core::WriteRequest request,
                      unsigned status);

// Operations as the fold takes them; they point into `rows`.
std::vector<domain::Known> known_of(const std::vector<store::IndexReader::OperationRow>& rows);

}  // namespace dutybook::api
