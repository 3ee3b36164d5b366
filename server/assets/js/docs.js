// The API page: Swagger UI over our own document.
//
// Requests go without the cookie of the page: the server takes exactly one kind of credentials, and here that is the
// token which Authorize fetched.

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
