/*
 * The page /docs/: shows the API of the service that the address names, `?payment-service`.
 */
const SERVICES = ['order-service', 'payment-service', 'voucher-service'];

const asked = location.search.slice(1);
const service = SERVICES.includes(asked) ? asked : SERVICES[0];

window.SwaggerUIBundle({
  url: `/services/${service}/openapi.json`,
  dom_id: '#api',
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null /* nothing is told to a validator elsewhere */,
});
