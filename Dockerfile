# The gateway with its embedded PostgreSQL. Debian and not Alpine: the PostgreSQL binaries are built for glibc.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --include=optional
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY migrations ./migrations
RUN npm run build && npm prune --omit=dev

FROM node:22-bookworm-slim
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY bin ./bin
COPY config /config
# /data holds the database and the first key; whoever mounts something there gives it to user 1000 (node).
RUN mkdir /data && chown node:node /data && chmod 700 /data
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 DATA_DIR=/data CONFIG_DIR=/config
USER node
VOLUME /data
EXPOSE 4000
# Asked over the loopback, over TLS where the gateway speaks it; whose certificate it is does not matter there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "const e = process.env; require(e.TLS_CERT ? 'node:https' : 'node:http').get({ host: '127.0.0.1', port: e.PORT, path: '/healthz', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "dist/src/main.js", "serve"]
