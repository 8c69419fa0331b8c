// An OIDC provider of someone else's: client credentials, and a refresh token that is replaced whenever it is used.
// Prints one line of JSON: the address of its token endpoint, and a first refresh token.
import { Provider, errors } from "oidc-provider";

const RESOURCE = "https://crm.example.gov.uk/";
const resource = {
  scope: "",
  audience: "crm",
  accessTokenTTL: 600,
  accessTokenFormat: "opaque",
};

const provider = new Provider("http://127.0.0.1", {
  clients: [
    {
      client_id: "hub",
      client_secret: "s3cret & more",
      grant_types: ["client_credentials", "refresh_token", "authorization_code"],
      redirect_uris: ["https://hub.example.gov.uk/callback"],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, indicator) => {
        if (indicator !== RESOURCE) throw new errors.InvalidTarget();
        return resource;
      },
    },
  },
  rotateRefreshToken: true,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

const server = provider.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  const grant = new provider.Grant({ accountId: "ada", clientId: "hub" });
  grant.addOIDCScope("offline_access");
  grant.addResourceScope(RESOURCE, "");
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: "ada",
    client: await provider.Client.find("hub"),
    grantId,
    gty: "authorization_code",
    resource: RESOURCE,
    scope: "offline_access",
  });
  console.log(JSON.stringify({ token_url: `http://127.0.0.1:${port}/token`, refresh_token: await token.save() }));
});
