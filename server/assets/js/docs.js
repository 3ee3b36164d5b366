// The API page: Swagger UI with the OpenAPI document of this server.
//
// Requests omit the session cookie: the server accepts exactly one kind of credentials, here the token from Authorize.

/* global SwaggerUIBundle */
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor(request) {
    request.credentials = "omit";
    return request;
  },
});
