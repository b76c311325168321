// Azure Container Apps with a managed identity: no certificate and no secret for Microsoft 365.
// In agent.toml: managed_identity = "user", client = the client id that this deployment tells,
// ledger = "postgresql+psycopg://n2k@HOST/n2k?sslmode=verify-full",
// ledger_secret_from = "env:PGPASSWORD", listen = "0.0.0.0:9464".
// Grant that identity its rights with the scripts of `n2k setup`, as for an app registration.
param location string = resourceGroup().location
param environmentId string
param image string
param registryServer string
@secure()
param ledgerPassword string
@description('A file share of the environment, read-only, that holds the configuration folder.')
param configurationStorage string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'need-to-know-agent'
  location: location
}

resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'need-to-know-agent'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      secrets: [
        {
          name: 'ledger-password'
          value: ledgerPassword
        }
      ]
      registries: [
        {
          server: registryServer
          identity: identity.id
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'agent'
          image: image
          args: ['run', '--log-json']
          env: [
            {
              name: 'PGPASSWORD'
              secretRef: 'ledger-password'
            }
          ]
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          probes: [
            {
              type: 'Liveness'
              httpGet: {
                path: '/healthz'
                port: 9464
              }
              initialDelaySeconds: 30
              periodSeconds: 30
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: 9464
              }
              periodSeconds: 30
            }
          ]
          volumeMounts: [
            {
              volumeName: 'configuration'
              mountPath: '/etc/n2k'
            }
          ]
        }
      ]
      scale: {
        minReplicas: 2
        maxReplicas: 2
      }
      volumes: [
        {
          name: 'configuration'
          storageType: 'AzureFile'
          storageName: configurationStorage
        }
      ]
    }
  }
}

output clientId string = identity.properties.clientId
output objectId string = identity.properties.principalId
