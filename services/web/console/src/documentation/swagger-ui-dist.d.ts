declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  /** What the page of Swagger UI shows, and how: https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/ */
  interface Options {
    url: string;
    dom_id: string;
    deepLinking: boolean;
    docExpansion: "list" | "full" | "none";
    defaultModelsExpandDepth: number;
    validatorUrl: string | null;
  }

  export default function SwaggerUIBundle(options: Options): unknown;
}
