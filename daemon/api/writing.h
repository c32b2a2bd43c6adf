#pragma once
// What the handlers that write, and those that show what was written, have in common.

#include "api/call.h"
#include "api/findings.h"
#include "api/shapes.h"
#include "api/walls.h"

namespace dutybook::api {

// `call` outlives it. Who acts is told why the rules object, whatever their role (Walls::Hold).
RecordContext context_of(const Call& call, core::SpaceService& space,
                         Walls::Hold hold = Walls::Hold::WallsAndClasses);

// A stored record with its findings.
Result<std::string> shown_text(const Call& call, core::SpaceService& space,
                               const store::StoredRecord& record);

// The members of a checked body ({"kind","fields","id"?}) as a create.
void fill_create(core::WriteRequest& request, Json&& body);

// Code::Forbidden for a record that says which plugins run in the space, and a caller who may not
// install one (it is code that runs at every site, by whatever road the record comes); and for one
// with a plugin's settings, and a caller who is no administrator.
Result<void> check_choice_of_plugin(const Call& call, core::SpaceService& space,
                                    const core::WriteRequest& request);

// The answer to a write. What somebody wrote behind a wall where they may not look is answered by
// its id and version alone: the rules may have filled in more than they said.
std::string answer_text(const Call& call, core::SpaceService& space, const core::Written& written);

// Hands the write to the space's thread; the answer is made on the connection's thread. `status`
// is for something written; what stood already is 200.
void write_and_answer(const CallPtr& call, core::SpaceService& space, core::WriteRequest request,
                      unsigned status);

// Operations as the fold takes them; they point into `rows`.
std::vector<domain::Known> known_of(const std::vector<store::IndexReader::OperationRow>& rows);

}  // namespace dutybook::api
