// Accounts of this machine that may use the socket beside the service's own.

#include "api/call.h"

namespace dutybook::api {

namespace {

Json account_json(const Account& account) {
    return {{"account", account.name}, {"role", name_of(account.role)}, {"by", account.by}};
}

Result<Response> list_accounts(Call& call) {
    Json items = Json::array();
    for (const auto& one : call.services.accounts->list()) items.push_back(account_json(one));
    return json_response(Json{{"items", std::move(items)}, {"next", nullptr}});
}

Result<Response> put_account(Call& call) {
    Account account;
    account.name = call.body.at("account").get<std::string>();
    const auto role = role_from(call.body.at("role").get<std::string>());
    if (!role) return malformed("role must be reader, writer or admin", "/role");
    account.role = *role;
    if (const auto by = call.body.find("by"); by != call.body.end() && by->is_string())
        account.by = by->get<std::string>();
    TRY(call.services.accounts->put(account));
    return json_response(account_json(account), 201);
}

Result<Response> remove_account(Call& call) {
    TRY(call.services.accounts->remove(call.argument(0)));
    return Response{204, {}, {}, {}};
}

}  // namespace

std::vector<Endpoint> account_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = "/v1/accounts",
                   .name = "listAccounts",
                   .summary = "The accounts of this machine that may use the socket.",
                   .answer = "account",
                   .list = true,
                   .access = Access::SocketOnly,
                   .run = answering(list_accounts)});
    out.push_back({.method = Method::Post,
                   .path = "/v1/accounts",
                   .name = "putAccount",
                   .summary = "Lets an account or a group use the socket, or changes its role.",
                   .body = Body::Members,
                   .members = {{"account", Type::Text, true, false, "its name, @name of a group"},
                               {"role", Type::Text, true, false, "reader, writer or admin"},
                               {"by", Type::Text, false, true, "the person that it stands for"}},
                   .status = 201,
                   .answer = "account",
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(put_account)});
    out.push_back({.method = Method::Delete,
                   .path = "/v1/accounts/{account}",
                   .name = "removeAccount",
                   .summary = "Takes an account's or a group's way in, also from who is connected.",
                   .status = 204,
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(remove_account)});
    return out;
}

}  // namespace dutybook::api
